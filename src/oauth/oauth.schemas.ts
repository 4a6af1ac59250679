import { z } from 'zod';

import { clientAuthMethods } from '../common/principal.js';
import { text } from '../common/validation.js';

const TOKEN = 'eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl';

/** How a client authenticates in the body. The access guard reads these, before anything else is looked at. */
const clientMembers = {
  client_id: text().optional().meta({ description: 'With `client_secret_post`.' }),
  client_secret: text().optional().meta({ description: 'With `client_secret_post`.' }),
  client_assertion_type: text()
    .optional()
    .meta({ description: 'With `private_key_jwt`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.' }),
  client_assertion: text().optional().meta({ description: 'With `private_key_jwt`: the signed assertion.' }),
};

/** RFC 6749, section 4.4.2, with the audience that others call `audience` and RFC 8707 `resource`. */
export const tokenRequest = z
  .object({
    grant_type: text().meta({ description: '`client_credentials` alone.', example: 'client_credentials' }),
    scope: text()
      .optional()
      .meta({ description: 'Scopes between spaces; without it, all that the client has.', example: 'invoices:read' }),
    audience: text()
      .optional()
      .meta({ description: 'Whom the token is for: one. Without it, the first of the client’s.' }),
    resource: text().optional().meta({ description: 'The same, by its name in RFC 8707.' }),
    ...clientMembers,
  })
  .meta({ id: 'ClientTokenRequest' });
export type TokenRequest = z.infer<typeof tokenRequest>;

/** RFC 6749, section 5.1. */
export const tokenResponse = z
  .strictObject({
    access_token: z.string().meta({ description: 'An access token without a session (RFC 9068).', example: TOKEN }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(1).meta({ description: 'Seconds.', example: 900 }),
    scope: z
      .string()
      .optional()
      .meta({ description: 'What it allows; left out where nothing.', example: 'invoices:read' }),
  })
  .meta({ id: 'ClientTokenResponse' });
export type TokenResponse = z.infer<typeof tokenResponse>;

const token = text().min(1, 'must not be empty').max(8192);

/** RFC 7662, section 2.1. */
export const introspectionRequest = z
  .object({
    token: token.meta({ description: 'The access token.', example: TOKEN }),
    token_type_hint: text().max(64).optional().meta({ description: 'Ignored: access tokens alone are introspected.' }),
    ...clientMembers,
  })
  .meta({ id: 'IntrospectionRequest' });
export type IntrospectionRequest = z.infer<typeof introspectionRequest>;

/** RFC 7662, section 2.2. */
export const introspectionResponse = z.looseObject({ active: z.boolean().meta({ example: true }) }).meta({
  id: 'IntrospectionResponse',
  description: 'The token’s claims where it is active, else `active: false` alone.',
  example: { active: false },
});

/** RFC 7009, section 2.1. */
export const revocationRequest = z
  .object({
    token: token.meta({ description: 'An access token that this client got.', example: TOKEN }),
    token_type_hint: text()
      .max(64)
      .optional()
      .meta({ description: 'What the client takes it for.', example: 'access_token' }),
    ...clientMembers,
  })
  .meta({ id: 'RevocationRequest' });
export type RevocationRequest = z.infer<typeof revocationRequest>;

/** RFC 6749, section 5.2; RFC 7009, section 2.2.1; RFC 8707, section 2. */
export const oauthErrorCodes = [
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'unsupported_token_type',
] as const;
export type OAuthErrorCode = (typeof oauthErrorCodes)[number];

export const oauthError = z
  .strictObject({
    error: z.enum(oauthErrorCodes).meta({ example: 'invalid_client' }),
    error_description: z.string().meta({ example: 'Send the id and the secret of a client.' }),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749, section 5.2.' });

const endpoint = (path: string) => z.url().meta({ example: `https://auth.example.com${path}` });
const authMethods = z.array(z.enum(clientAuthMethods)).meta({ example: [...clientAuthMethods] });
const algorithms = z.array(z.string()).meta({ example: ['ES256'] });

/** RFC 8414, section 2. */
export const serverMetadata = z
  .strictObject({
    issuer: z.string().meta({ description: 'The iss claim: JWT_ISSUER.', example: 'https://auth.example.com' }),
    token_endpoint: endpoint('/oauth/token'),
    jwks_uri: endpoint('/.well-known/jwks.json'),
    introspection_endpoint: endpoint('/oauth/introspect'),
    revocation_endpoint: endpoint('/oauth/revoke'),
    grant_types_supported: z.array(z.literal('client_credentials')),
    response_types_supported: z
      .array(z.string())
      .meta({ description: 'None: nobody is sent here to sign in.', example: [] }),
    token_endpoint_auth_methods_supported: authMethods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    service_documentation: endpoint('/docs'),
  })
  .meta({ id: 'AuthorizationServerMetadata' });
export type ServerMetadata = z.infer<typeof serverMetadata>;
