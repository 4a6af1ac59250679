import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';

import { codePoints, text } from '../common/validation.js';
import { RECOVERY_CODES } from './recovery-codes.repository.js';
import type { Passkey } from './passkey.entity.js';
import type { TotpAuthenticator } from './totp-authenticator.entity.js';

const factorName = text()
  .min(1, 'must not be empty')
  .refine((value) => codePoints(value) <= 64, 'must be at most 64 characters long')
  .meta({ description: 'What its owner calls it.', example: 'Phone' });

/** A code as it was typed: whether it has the right form is part of whether it is right. */
export const code = text()
  .min(1, 'must not be empty')
  .max(64, 'must be at most 64 characters long')
  .meta({ description: 'Of an authenticator app, or a recovery code.', example: '492039' });

/** Of which kind a code is. */
export const codeMethod = z
  .enum(['totp', 'recovery_code'])
  .optional()
  .meta({ description: 'Of which kind the code is; told by its form where it is left out.' });

const bytes = (max: number) =>
  z
    .string()
    .max(max, `must be at most ${max} characters long`)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url')
    .meta({ example: 'AQIDBA' });

/** WebAuthn's own JSON (Level 3, section 5.1.8); it may get members that are new. */
const credential = { id: bytes(1400), rawId: bytes(1400), type: z.literal('public-key') };
const credentialRest = {
  authenticatorAttachment: z.string().max(32).nullish(),
  clientExtensionResults: z.looseObject({}).default({}),
};

export const authenticationResponse = z
  .looseObject({
    ...credential,
    response: z.looseObject({
      clientDataJSON: bytes(4096),
      authenticatorData: bytes(4096),
      signature: bytes(4096),
      userHandle: bytes(128).nullish(),
    }),
    ...credentialRest,
  })
  .transform((value) => value as unknown as AuthenticationResponseJSON)
  .meta({ id: 'AuthenticationResponse', description: 'What `PublicKeyCredential.toJSON()` gives after a get.' });

const registrationResponse = z
  .looseObject({
    ...credential,
    response: z.looseObject({
      clientDataJSON: bytes(4096),
      attestationObject: bytes(32_768),
      transports: z.array(text().max(32, 'must be at most 32 characters long')).max(8).optional(),
    }),
    ...credentialRest,
  })
  .transform((value) => value as unknown as RegistrationResponseJSON)
  .meta({ id: 'RegistrationResponse', description: 'What `PublicKeyCredential.toJSON()` gives after a create.' });

export const setUpTotpRequest = z
  .strictObject({ name: factorName.default('Authenticator app') })
  .optional()
  .meta({ id: 'SetUpTotpRequest' });
export type SetUpTotpRequest = z.infer<typeof setUpTotpRequest>;

export const confirmTotpRequest = z.strictObject({ code }).meta({ id: 'ConfirmTotpRequest' });
export type ConfirmTotpRequest = z.infer<typeof confirmTotpRequest>;

export const newPasskey = z
  .strictObject({ name: factorName.default('Passkey'), response: registrationResponse })
  .meta({ id: 'NewPasskey' });
export type NewPasskey = z.infer<typeof newPasskey>;

export const renamePasskeyRequest = z.strictObject({ name: factorName }).meta({ id: 'RenamePasskeyRequest' });
export type RenamePasskeyRequest = z.infer<typeof renamePasskeyRequest>;

export const totpSetUp = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a13' }),
    secret: z.string().meta({ description: 'Base32, to type in.', example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' }),
    otpauth_uri: z.string().meta({ example: 'otpauth://totp/Latchkey:ada?secret=JBSWY3DPEHPK3PXP&issuer=Latchkey' }),
    qr_svg: z.string().meta({ description: 'The URI as a QR code: a whole SVG document.', example: '<svg/>' }),
  })
  .meta({ id: 'TotpSetUp' });

export const recoveryCodeList = z
  .array(z.string())
  .max(RECOVERY_CODES)
  .meta({
    description: 'Shown this once. Empty where a set that was shown before still counts.',
    example: ['7Q2M4C-0YHT9B-ZK5R8W-3NVXPD'],
  });

export const recoveryCodesResponse = z
  .strictObject({ recovery_codes: recoveryCodeList })
  .meta({ id: 'RecoveryCodesResponse' });
export type RecoveryCodesResponse = z.infer<typeof recoveryCodesResponse>;

const times = {
  created_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
  last_used_at: z.iso.datetime().nullable().meta({ example: '2026-01-31T12:00:00.000Z' }),
};

const totpView = z
  .strictObject({ id: z.uuid(), name: z.string().meta({ example: 'Authenticator app' }), ...times })
  .meta({ id: 'TotpAuthenticator' });

const passkeyMembers = {
  id: z.uuid(),
  name: z.string().meta({ example: 'Passkey' }),
  backed_up: z.boolean().meta({ description: 'Whether its owner’s other devices have it too.' }),
  ...times,
};
const passkeyView = z.strictObject(passkeyMembers).meta({ id: 'Passkey' });

export const addedPasskey = z
  .strictObject({ ...passkeyMembers, recovery_codes: recoveryCodeList })
  .meta({ id: 'AddedPasskey' });

export const factorsResponse = z
  .strictObject({
    totp: z.array(totpView),
    passkeys: z.array(passkeyView),
    recovery_codes_left: z.int().min(0).max(RECOVERY_CODES),
  })
  .meta({ id: 'SecondFactors' });

/** Options as `PublicKeyCredential.parse…OptionsFromJSON` takes them. */
export const webauthnOptions = z
  .looseObject({ challenge: z.string().meta({ example: 'AQIDBA' }) })
  .meta({ id: 'WebAuthnOptions', description: 'For `navigator.credentials`, as WebAuthn Level 3 writes it in JSON.' });

export const toTotpView = ({ id, name, createdAt, lastUsedAt }: TotpAuthenticator): z.infer<typeof totpView> => ({
  id,
  name,
  created_at: createdAt.toISOString(),
  last_used_at: lastUsedAt?.toISOString() ?? null,
});

export const toPasskeyView = (passkey: Passkey): z.infer<typeof passkeyView> => ({
  id: passkey.id,
  name: passkey.name,
  backed_up: passkey.backedUp,
  created_at: passkey.createdAt.toISOString(),
  last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
});
