import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { type Config, ConfigError } from '../config/config.js';
import { findEmbeddedPostgres, startEmbeddedPostgres } from '../database/embedded-postgres.js';
import { inspectDatabase } from '../database/inspection.js';
import { BreachFilter } from '../passwords/policy/breach-filter.js';
import { hashArgon2id } from '../passwords/schemes/argon2id.js';
import { loadKeyRing } from '../tokens/key-ring.js';
import type { Surroundings } from './doctor.js';

const TIMEOUT_MS = 2000;

/** Looks at all that the service would need, at once; changes nothing. */
export async function lookAround(config: Config): Promise<Surroundings> {
  const [database, redis, keys] = await Promise.all([
    lookAtDatabase(config).catch(asError),
    config.redisUrl === null ? ('none' as const) : ping(config.redisUrl).catch(asError),
    loadKeyRing(config.tokens).then(() => 'there' as const, asError),
  ]);
  const breachFile = lookAtBreachFile(config.password.breachFile);
  return { database, redis, keys, breachFile, hashMs: await timeOfHash(config) };
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
