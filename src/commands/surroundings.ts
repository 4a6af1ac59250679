import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { keyIdOf } from '../common/crypto/sealer.js';
import { type Config, ConfigError } from '../config/config.js';
import { findEmbeddedPostgres, startEmbeddedPostgres } from '../database/embedded-postgres.js';
import { type DatabaseFacts, inspectDatabase } from '../database/inspection.js';
import { BreachFilter } from '../passwords/policy/breach-filter.js';
import { hashArgon2id } from '../passwords/schemes/argon2id.js';
import { type KeyStatus, statusesOf } from '../keys/key-status.js';
import { ConfiguredKeys } from '../tokens/configured-keys.js';
import { KeyVault } from '../tokens/key-vault.js';
import type { StoredKey } from '../tokens/signing-key.entity.js';
import type { Surroundings } from './doctor.js';

const TIMEOUT_MS = 2000;

/** Looks at all that the service would need, at once; changes nothing. */
export async function lookAround(config: Config): Promise<Surroundings> {
  const [database, redis, configured] = await Promise.all([
    lookAtDatabase(config).catch(asError),
    config.redisUrl === null ? ('none' as const) : ping(config.redisUrl).catch(asError),
    ConfiguredKeys.load(config.tokens).catch(asError),
  ]);
  const derived = new DerivedKeys(config.masterSecret, config.previousMasterSecret);
  const keys = configured instanceof Error ? configured : keysOf(new KeyVault(derived), configured, database);
  const breachFile = lookAtBreachFile(config.password.breachFile);
  return { database, redis, keys, sealed: sealedOf(derived, database), breachFile, hashMs: await timeOfHash(config) };
}

/** Those of the settings, and of the database where that is there. */
function keysOf(vault: KeyVault, configured: ConfiguredKeys, database: DatabaseFacts | Error): KeyStatus[] {
  const rows = database instanceof Error ? [] : ((database.signingKeys ?? []) as StoredKey[]);
  const opened = rows.map((row) => ({ row, key: vault.prepare(row) }));
  return statusesOf(configured, opened, new Date());
}

/** Under which of the secrets the seeds and keys of the database are sealed. */
function sealedOf(derived: DerivedKeys, database: DatabaseFacts | Error): Surroundings['sealed'] {
  if (database instanceof Error || !database.seeds || !database.signingKeys) return null;
  const found = [
    ...database.seeds.map((some) => ({ ...some, label: 'totp-seed' as const })),
    ...database.signingKeys.flatMap(({ keyId }) => (keyId ? { keyId, count: 1, label: 'signing-key' as const } : [])),
  ];
  const sum = (isIt: (place: number) => boolean) =>
    found
      .filter(({ keyId, label }) => isIt(derived.allOf(label).map(keyIdOf).indexOf(keyId)))
      .reduce((total, { count }) => total + count, 0);
  const { masterSecretId } = database;
  return {
    previous: sum((place) => place > 0),
    neither: sum((place) => place < 0),
    isOfService: masterSecretId === null || masterSecretId === keyIdOf(derived.of('signing-key')),
  };
}

async function lookAtDatabase({ database: { server, dataDir } }: Config) {
  const embedded = server === null ? (findEmbeddedPostgres(dataDir) ?? (await startEmbeddedPostgres(dataDir))) : null;
  try {
    return await inspectDatabase(server ?? embedded!, TIMEOUT_MS);
  } finally {
    await embedded?.stop();
  }
}

async function ping(url: string): Promise<'there'> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: TIMEOUT_MS, retryStrategy: () => null });
  const fault = new Promise<never>((_resolve, reject) => redis.on('error', reject)); // says more than the call does
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), fault]);
    return 'there';
  } finally {
    redis.disconnect();
  }
}

function lookAtBreachFile(file: string | null): Surroundings['breachFile'] {
  if (file === null) return 'none';
  try {
    BreachFilter.open(file);
    return 'there';
  } catch (error) {
    return asError(error);
  }
}

/** The second one: the first also makes the thread. */
async function timeOfHash({ password }: Config): Promise<number> {
  const hash = () => hashArgon2id(randomBytes(16).toString('hex'), password.argon2);
  await hash();
  const begun = performance.now();
  await hash();
  return performance.now() - begun;
}

function asError(error: unknown): Error {
  if (error instanceof ConfigError) return new Error(error.mistakes.join('; '));
  return error instanceof Error ? error : new Error(String(error));
}
