import { z } from 'zod';

import { text } from '../common/validation.js';
import { authenticationResponse, code, codeMethod, recoveryCodeList } from '../mfa/mfa.schemas.js';
import { deviceId, signInResponse } from './auth.schemas.js';

const mfaToken = text().min(1, 'must not be empty').max(2048, 'must be at most 2048 characters long').meta({
  description: 'The half-way token of the sign-in.',
  example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im1mYStqd3QifQ.e30.c2ln',
});

const restOfStep = {
  mfa_token: mfaToken,
  device_id: deviceId.optional(),
  remember_device: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether this browser may skip the second step for a while, where the policy lets it.' }),
};

/** By a code, or by a passkey's answer. */
export const secondStepRequest = z
  .union([
    z.strictObject({ ...restOfStep, method: codeMethod, code }),
    z.strictObject({ ...restOfStep, method: z.literal('passkey').optional(), response: authenticationResponse }),
  ])
  .meta({ id: 'SecondStepRequest' });
export type SecondStepRequest = z.infer<typeof secondStepRequest>;

export const mfaTokenRequest = z.strictObject({ mfa_token: mfaToken }).meta({ id: 'MfaTokenRequest' });
export type MfaTokenRequest = z.infer<typeof mfaTokenRequest>;

export const confirmEnrollmentRequest = z
  .strictObject({ mfa_token: mfaToken, code, device_id: deviceId.optional() })
  .meta({ id: 'ConfirmEnrollmentRequest' });
export type ConfirmEnrollmentRequest = z.infer<typeof confirmEnrollmentRequest>;

export const passkeySignInRequest = z
  .strictObject({ response: authenticationResponse, device_id: deviceId.optional() })
  .meta({ id: 'PasskeySignInRequest' });
export type PasskeySignInRequest = z.infer<typeof passkeySignInRequest>;

export const enrolledResponse = z
  .strictObject({ ...signInResponse.shape, recovery_codes: recoveryCodeList })
  .meta({ id: 'EnrolledResponse' });
export type EnrolledResponse = z.infer<typeof enrolledResponse>;
