import { z } from 'zod';

import { text } from '../common/validation.js';
import { authenticationResponse, code, codeMethod } from '../mfa/mfa.schemas.js';
import { password } from '../users/users.schemas.js';
import { tokenMembers } from './auth.schemas.js';

const refreshToken = text()
  .max(256)
  .optional()
  .meta({ description: 'With X-Auth-Transport: body; it is spent, and the answer has the next one.' });

/** By the password, a code, or a passkey's answer. */
export const stepUpRequest = z
  .union([
    z.strictObject({ password, refresh_token: refreshToken }),
    z.strictObject({ method: codeMethod, code, refresh_token: refreshToken }),
    z.strictObject({ response: authenticationResponse, refresh_token: refreshToken }),
  ])
  .meta({ id: 'StepUpRequest' });
export type StepUpRequest = z.infer<typeof stepUpRequest>;

export const stepUpResponse = z.strictObject(tokenMembers).meta({ id: 'StepUpResponse' });

export const removeTotpRequest = z.strictObject({ password, code }).meta({ id: 'RemoveTotpRequest' });
export type RemoveTotpRequest = z.infer<typeof removeTotpRequest>;
