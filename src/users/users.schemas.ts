import { z } from 'zod';

import { text } from '../common/validation.js';

const USERNAME = /^(?!.*\p{Default_Ignorable_Code_Point})[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u;
const PASSWORD_MAX_BYTES = 1024;

/** Letters and digits of any script, then also `. _ -`: no @, so that it is never an e-mail address. */
export const username = text()
  .min(3, 'must be at least 3 characters long')
  .max(64, 'must be at most 64 characters long')
  .regex(USERNAME, 'may hold letters, digits, dot, dash and underscore, and starts with a letter or digit')
  .refine((value) => USERNAME.test(value.normalize('NFKC')), 'may hold no letters that stand for others with spaces')
  .meta({ id: 'Username', example: 'ada' });

/** Deliverable by length too: RFC 5321, section 4.5.3.1. */
export const email = text()
  .max(254, 'must be at most 254 characters long')
  .pipe(z.email('must be an e-mail address'))
  .meta({ id: 'Email', example: 'ada@example.com' });

/** Either of the two, as a sign-in form takes them. */
export const usernameOrEmail = text()
  .min(1, 'must not be empty')
  .max(254, 'must be at most 254 characters long')
  .refine((value) => (value.includes('@') ? z.email().safeParse(value).success : USERNAME.test(value)), {
    message: 'must be a username or an e-mail address',
  })
  .meta({ description: 'The username or the e-mail address.', example: 'ada' });

/**
 * Exactly as typed: nothing is trimmed or cut (ASVS 6.2.8). Its length in bytes is bounded before
 * anything is hashed.
 */
export const password = text()
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= PASSWORD_MAX_BYTES, {
    message: `must be at most ${PASSWORD_MAX_BYTES} bytes long`,
  })
  .meta({ description: 'At most 1,024 bytes of UTF-8.', format: 'password', example: 'correct-horse-battery' });

/** A password to be: its one composed form, which is what is judged, compared and hashed. */
export const newPassword = password.transform((value) => value.normalize('NFC'));

export const userResponse = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' }),
    username: z.string().meta({ example: 'ada' }),
    email: z.string().meta({ example: 'ada@example.com' }),
    email_verified: z.boolean().meta({ example: false }),
    roles: z.array(z.string()).meta({ example: ['user'] }),
    permissions: z.array(z.string()).meta({ example: [] }),
    must_change_password: z.boolean().meta({ example: false }),
    created_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
  })
  .meta({ id: 'User' });

export type UserResponse = z.infer<typeof userResponse>;
