import { z } from 'zod';

import { importJwk, type Jwk, VerifierConfigError } from '#verifier';

import { text } from '../common/validation.js';

const MAX_KEYS = 8;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const KID = text();

/** The public keys of a client (RFC 7517), as they are kept: whatever else came with them is left out. */
export interface ClientJwks {
  keys: ClientJwk[];
}

/** One of them. An Ed25519 key is without `alg`: libraries write either of its algorithm's names. */
export type ClientJwk = { kty: string } & {
  [member in 'alg' | 'crv' | 'x' | 'y' | 'n' | 'e' | 'kid']?: string;
};

/** JWS algorithms of client assertions. EdDSA and Ed25519 (RFC 9864) are two names of one. */
export const ASSERTION_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** What a person may give as the keys of a client: public ones, strong, each known by at most one name. */
export const clientJwks = z
  .strictObject({
    keys: z
      .array(z.looseObject({ kty: z.string() }))
      .min(1, 'must not be empty')
      .max(MAX_KEYS, `must be at most ${MAX_KEYS}`),
  })
  .transform(({ keys }, context): ClientJwks => {
    const kept = keys.map((jwk, index) => {
      const key = readKey(jwk);
      if (typeof key !== 'string') return key;
      context.addIssue({ code: 'custom', message: key, path: ['keys', index] });
      return z.NEVER;
    });
    const kids = kept.flatMap((key) => key?.kid ?? []);
    if (new Set(kids).size < kids.length)
      context.addIssue({ code: 'custom', message: 'must not name a kid twice', path: ['keys'] });
    return { keys: kept };
  })
  .meta({
    description:
      'A JWK Set (RFC 7517) with the public keys that its assertions are signed with: ES256, Ed25519, RS256 or PS256.',
    example: {
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          kid: '1',
          x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
          y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
        },
      ],
    },
  });

/**
 * The key with the one algorithm that it serves, or what is wrong with it. Shows nothing of the key. Its numbers are written
 * anew: base64url is read leniently, and what was given may hold what no column can.
 */
function readKey(jwk: Jwk): ClientJwk | string {
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) return 'must be a public key: keep the private half to yourself';
  if (jwk.kid !== undefined && !KID.safeParse(jwk.kid).success)
    return 'must have a kid that is well-formed text without NUL';
  const isPss = jwk.kty === 'RSA' && jwk.alg === 'PS256';
  try {
    const { algorithm, verifyKey } = importJwk(isPss ? { ...jwk, alg: 'RS256' } : jwk);
    const kept = verifyKey.export({ format: 'jwk' }) as ClientJwk;
    if (algorithm !== 'EdDSA') kept.alg = isPss ? 'PS256' : algorithm;
    if (jwk.kid !== undefined) kept.kid = jwk.kid;
    return kept;
  } catch (error) {
    if (error instanceof VerifierConfigError) return error.message;
    throw error;
  }
}
