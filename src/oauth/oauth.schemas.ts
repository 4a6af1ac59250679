import { z } from 'zod';

import { text } from '../common/validation.js';

/** RFC 7662, section 2.1. */
export const introspectionRequest = z
  .strictObject({
    token: text().min(1, 'must not be empty').max(8192).meta({
      description: 'The access token.',
      example: 'eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl',
    }),
    token_type_hint: text().max(64).optional().meta({ description: 'Ignored: access tokens alone are introspected.' }),
  })
  .meta({ id: 'IntrospectionRequest' });
export type IntrospectionRequest = z.infer<typeof introspectionRequest>;

/** RFC 7662, section 2.2. */
export const introspectionResponse = z.looseObject({ active: z.boolean().meta({ example: true }) }).meta({
  id: 'IntrospectionResponse',
  description: 'The token’s claims where it is active, else `active: false` alone.',
  example: { active: false },
});

export const oauthError = z
  .strictObject({
    error: z.enum(['invalid_request', 'invalid_client']).meta({ example: 'invalid_client' }),
    error_description: z.string().meta({ example: 'Send the id and the secret of a client.' }),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749, section 5.2.' });
