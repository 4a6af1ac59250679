import { z } from 'zod';

import { secondFactorMethods } from '../common/second-factors.js';
import { text } from '../common/validation.js';
import { activityEvent } from '../audit/audit.schemas.js';
import { factorsResponse } from '../mfa/mfa.schemas.js';
import { deviceView } from '../sessions/devices.schemas.js';
import { sessionView } from '../sessions/sessions.schemas.js';
import { email, newPassword, password, username, usernameOrEmail, userResponse } from '../users/users.schemas.js';

export const deviceId = text()
  .min(1, 'must not be empty')
  .max(128, 'must be at most 128 characters long')
  .meta({ description: 'A name that a client without cookies gives its device and keeps.', example: 'f3b1c2d4-phone' });

export const registerRequest = z
  .strictObject({ username, email, password: newPassword, device_id: deviceId.optional() })
  .meta({ id: 'RegisterRequest' });
export type RegisterRequest = z.infer<typeof registerRequest>;

/** JSON, a form, or the OAuth2 password form, whose clients may add members of their own (RFC 6749, section 4.3.2). */
export const loginRequest = z
  .strictObject({
    username: usernameOrEmail,
    password,
    device_id: deviceId.optional(),
    grant_type: z.literal('password').optional().meta({ description: 'Given by OAuth2 password forms.' }),
    scope: text().max(1024).optional().meta({ description: 'Taken from OAuth2 password forms, and ignored.' }),
    client_id: text().max(256).optional().meta({ description: 'Taken from OAuth2 password forms, and ignored.' }),
    client_secret: text().max(256).optional().meta({ description: 'Taken from OAuth2 password forms, and ignored.' }),
  })
  .meta({ id: 'LoginRequest' });
export type LoginRequest = z.infer<typeof loginRequest>;

/** Cookie clients send no body, or an empty one. */
export const refreshRequest = z
  .strictObject({
    refresh_token: text().max(256).optional().meta({ description: 'With X-Auth-Transport: body.' }),
    device_id: deviceId.optional(),
  })
  .optional()
  .meta({ id: 'RefreshRequest' });
export type RefreshRequest = z.infer<typeof refreshRequest>;

export const logoutRequest = z
  .strictObject({ refresh_token: text().max(256).optional().meta({ description: 'With X-Auth-Transport: body.' }) })
  .optional()
  .meta({ id: 'LogoutRequest' });
export type LogoutRequest = z.infer<typeof logoutRequest>;

export const changePasswordRequest = z
  .strictObject({ current_password: password, new_password: newPassword })
  .meta({ id: 'ChangePasswordRequest' });
export type ChangePasswordRequest = z.infer<typeof changePasswordRequest>;

export const changeProfileRequest = z
  .strictObject({ username: username.optional(), email: email.optional(), current_password: password })
  .refine((body) => body.username !== undefined || body.email !== undefined, 'must change something')
  .meta({ id: 'ChangeProfileRequest' });
export type ChangeProfileRequest = z.infer<typeof changeProfileRequest>;

export const deleteAccountRequest = z.strictObject({ password }).meta({ id: 'DeleteAccountRequest' });
export type DeleteAccountRequest = z.infer<typeof deleteAccountRequest>;

export const deletionResponse = z
  .strictObject({
    deleted_at: z.iso.datetime().meta({
      description: 'The account is deleted then, unless its owner signs in before.',
      example: '2026-02-14T12:00:00.000Z',
    }),
  })
  .meta({ id: 'DeletionResponse' });

export const ownDataResponse = z
  .strictObject({
    exported_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    profile: userResponse,
    second_factors: factorsResponse,
    sessions: z.array(sessionView),
    devices: z.array(deviceView),
    activity: z.array(activityEvent),
  })
  .meta({ id: 'OwnData' });
export type OwnData = z.infer<typeof ownDataResponse>;

export const resetPasswordRequest = z
  .strictObject({
    token: text()
      .min(1, 'must not be empty')
      .max(128, 'must be at most 128 characters long')
      .meta({ description: 'Of the link.', example: 'Zk3v0m7m0q1m5tq5m3J0d8l2a1c9s4f6h8j0k2l4n6p' }),
    new_password: newPassword,
  })
  .meta({ id: 'ResetPasswordRequest' });
export type ResetPasswordRequest = z.infer<typeof resetPasswordRequest>;

export const tokenMembers = {
  access_token: z.string().meta({ example: 'eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl' }),
  token_type: z.literal('bearer'),
  expires_in: z.int().min(1).max(86_400).meta({ description: 'Seconds.', example: 900 }),
  refresh_token: z
    .string()
    .optional()
    .meta({ description: 'With X-Auth-Transport: body alone; browsers get a cookie.' }),
};

export const refreshResponse = z.strictObject(tokenMembers).meta({ id: 'TokenResponse' });
export type RefreshResponse = z.infer<typeof refreshResponse>;

export const signInResponse = z.strictObject({ ...tokenMembers, user: userResponse }).meta({ id: 'SignInResponse' });
export type SignInResponse = z.infer<typeof signInResponse>;

const halfWayMembers = {
  mfa_token: z
    .string()
    .meta({ description: 'For the second step, within five minutes.', example: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }),
  mfa_methods: z.array(z.enum(secondFactorMethods)).meta({ example: ['totp', 'recovery_code'] }),
  expires_in: z.int().min(1).max(3600).meta({ description: 'Seconds.', example: 300 }),
};

/** The password was right, and a second step is to come; no cookie is set. */
const halfWayResponse = z
  .strictObject({ mfa_required: z.literal(true), ...halfWayMembers })
  .meta({ id: 'HalfWayResponse' });
export type HalfWayResponse = z.infer<typeof halfWayResponse>;

export const loginResponse = z.union([signInResponse, halfWayResponse]).meta({ id: 'LoginResponse' });

/** The account was made, and the policy asks for a second factor before it can be used. */
const enrollmentResponse = z
  .strictObject({ mfa_enrollment_required: z.literal(true), ...halfWayMembers })
  .meta({ id: 'EnrollmentResponse' });
export type EnrollmentResponse = z.infer<typeof enrollmentResponse>;

export const registerResponse = z.union([signInResponse, enrollmentResponse]).meta({ id: 'RegisterResponse' });

export const meResponse = z
  .strictObject({
    ...userResponse.shape,
    session_id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11' }),
    mfa: z.strictObject({
      enabled: z.boolean().meta({ description: 'Whether a sign-in takes a second step.', example: false }),
      methods: z.array(z.enum(secondFactorMethods)).meta({ example: [] }),
    }),
  })
  .meta({ id: 'Me' });
export type MeResponse = z.infer<typeof meResponse>;

export const csrfResponse = z
  .strictObject({
    csrf_token: z.string().meta({ example: 'Zk3v0m7m0q1m5tq5m3J0d8l2a1c9s4f6h8j0k2l4n6p8r0t2v4x6z8B0D2F4H6J8' }),
  })
  .meta({ id: 'CsrfResponse' });
