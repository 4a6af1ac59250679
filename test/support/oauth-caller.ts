import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { type JWK, type JWTPayload, SignJWT } from 'jose';
import request from 'supertest';

import type { ClientJwks } from '../../src/clients/client-jwks.js';
import { JWT_BEARER } from '../../src/clients/client-credentials.js';
import type { GivenClient, TestApp } from './test-app.js';

/** A form as it is written: to send what no library would. */
export const form = (members: Record<string, string>): string => new URLSearchParams(members).toString();

/** Posts a form to an endpoint for OAuth clients. */
export function oauthPost(app: TestApp, path: string, body: string, authorization?: string) {
  const call = request(app.url).post(`/oauth/${path}`).type('form');
  return (authorization === undefined ? call : call.set('Authorization', authorization)).send(body);
}

/** Asks for a token as `client`. */
export const askToken = (app: TestApp, client: GivenClient, members: Record<string, string> = {}) =>
  oauthPost(app, 'token', form({ grant_type: 'client_credentials', ...members }), client.authorization);

/** A token that `client` got. */
export async function givenToken(app: TestApp, client: GivenClient, members?: Record<string, string>): Promise<string> {
  const { body } = await askToken(app, client, members).expect(200);
  return (body as { access_token: string }).access_token;
}

/** The claims of a token, unchecked. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()) as Record<string, unknown>;

const PAIRS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
export type PairAlgorithm = keyof typeof PAIRS;

/** A key pair that a client has, with the public half as it registers that. */
export function newPair(algorithm: PairAlgorithm = 'ES256', kid: string = randomUUID()) {
  const { privateKey, publicKey } = PAIRS[algorithm]();
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: algorithm };
  return { algorithm, kid, privateKey, jwks: { keys: [jwk] } as ClientJwks };
}

/** An assertion of a client (RFC 7523), with whatever else it should say. */
export function assertion(
  app: TestApp,
  clientId: string,
  { algorithm, kid, privateKey }: ReturnType<typeof newPair>,
  claims: JWTPayload = {},
): Promise<string> {
  const now = Math.floor(app.now.getTime() / 1000);
  const usual = {
    iss: clientId,
    sub: clientId,
    aud: app.config.tokens.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey);
}

/** The form members that carry one. */
export const carrying = (signed: string) => ({ client_assertion_type: JWT_BEARER, client_assertion: signed });
