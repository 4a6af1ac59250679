import type { Config } from '../config/config.js';
import type { KeyStatus } from '../keys/key-status.js';
import { type Finding, ok, warning, wrong } from './finding.js';

const LONG_TOKEN_SECONDS = 3600;
const OLD_KEY_DAYS = 365;

/** How many seeds and keys another secret sealed: the one before, or neither. */
export interface Sealed {
  readonly previous: number;
  readonly neither: number;
  /** Whether the service last started with this secret, or never did. */
  readonly isOfService: boolean;
}

/** The keys that sign access tokens. */
export function ofKeys({ tokens, notices }: Config, keys: readonly KeyStatus[] | Error): Finding {
  if (keys instanceof Error)
    return wrong(
      'keys',
      keys.message,
      tokens.algorithm.startsWith('HS')
        ? 'openssl rand -base64 48 makes a good JWT_SECRET.'
        : 'Mend JWT_KEYS_FILE: a JWK Set with a private key of JWT_ALG.',
    );
  const unreadable = keys.find(({ state, retiredAt }) => state === 'unreadable' && retiredAt === null);
  if (unreadable)
    return wrong(
      'keys',
      `MASTER_SECRET does not open the key ${unreadable.kid}`,
      'Set it, or MASTER_SECRET_PREVIOUS, to the one that sealed it. Where that is lost: latchkey keys retire --secret-lost, and start.',
    );
  const weak = notices.find((notice) => /JWT_SECRET|MASTER_SECRET/.test(notice) && /production/.test(notice));
  if (weak) return warning('keys', weak, 'openssl rand -base64 48 makes a good one.');
  if (tokens.accessTokenSeconds > LONG_TOKEN_SECONDS)
    return warning(
      'keys',
      `access tokens live for ${tokens.accessTokenSeconds / 60} minutes`,
      'Services that do not follow the feed believe a stolen one for so long: 15 minutes is the default.',
    );
  const signing = keys.find(({ state, audience }) => state === 'signing' && audience === null);
  if (!signing)
    return warning(
      'keys',
      'none signs yet',
      `The first start makes one of ${tokens.algorithm}, or: latchkey keys generate.`,
    );
  const days = signing.activeFrom ? Math.floor((Date.now() - signing.activeFrom.getTime()) / 86_400_000) : 0;
  if (days > OLD_KEY_DAYS)
    return warning(
      'keys',
      `${signing.kid} has signed for ${days} days`,
      'Rotate it: docs/runbooks/rotate-signing-keys.md. Nobody is signed out.',
    );
  return ok('keys', `${signing.algorithm}, of ${signing.source === 'database' ? 'the database' : signing.source}`);
}

/** What hangs on `MASTER_SECRET`. */
export function ofSealed(sealed: Sealed | null): Finding[] {
  if (!sealed) return [];
  if (sealed.neither > 0)
    return [
      wrong(
        'master secret',
        `it does not open ${sealed.neither} seeds or keys`,
        'Set MASTER_SECRET, or MASTER_SECRET_PREVIOUS, to the one that sealed them.',
      ),
    ];
  if (sealed.previous > 0)
    return [
      warning(
        'master secret',
        `${sealed.previous} seeds or keys are still sealed under MASTER_SECRET_PREVIOUS`,
        'Keep it: seeds are sealed anew at their next use. docs/runbooks/rotate-master-secret.md.',
      ),
    ];
  if (!sealed.isOfService)
    return [
      warning(
        'master secret',
        'the service last started with another one',
        'Run this with the service’s settings. After a change of it: start the service.',
      ),
    ];
  return [ok('master secret', 'opens all seeds and keys')];
}
