import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const MIN_SECRET_BYTES = 32;

/** RFC 7518, section 3.2: an HMAC key is at least as long as the hash output. */
export const minSecretBytes = (algorithm: string): number =>
  /^HS\d+$/.test(algorithm) ? Number(algorithm.slice(2)) / 8 : MIN_SECRET_BYTES;

/** Phrases from tutorials and sample files; a secret that holds one is no secret. */
const WELL_KNOWN =
  /your[-_ ]?(super[-_ ]?)?secret|your[-_ ]?256|super[-_ ]?secret|change[-_ ]?me|changeit|replace[-_ ]?(me|this)|insert[-_ ]|example|password|keyboard[-_ ]?cat|my[-_ ]?secret|jwt[-_ ]?secret|master[-_ ]?secret|latchkey|default|development|0123456789|abcdefghij|qwerty/i;

/** Says what is wrong with a secret in plain words, without showing it; null when nothing is. */
export function weaknessOf(secret: string, minBytes = MIN_SECRET_BYTES): string | null {
  if (Buffer.byteLength(secret) < minBytes) return `must be at least ${minBytes} bytes long`;
  if (new Set(secret).size < 8) return 'repeats a few characters: make it random';
  if (WELL_KNOWN.test(secret)) return 'is a well-known sample value: make it random';
  return null;
}

/**
 * The value of the first source that has one: the variable, `NAME_FILE`, `/run/secrets/name`.
 * Throws where `NAME_FILE` names a file that cannot be read. One trailing line break is dropped.
 */
export function readSetting(name: string, env: NodeJS.ProcessEnv, secretsDir: string): string | undefined {
  if (env[name] !== undefined && env[name] !== '') return env[name];
  const named = env[`${name}_FILE`];
  if (named) return readTrimmed(named);
  const mounted = path.join(secretsDir, name.toLowerCase());
  return fs.existsSync(mounted) ? readTrimmed(mounted) : undefined;
}

const readTrimmed = (file: string): string => fs.readFileSync(file, 'utf8').replace(/\r?\n$/, '');

/**
 * Outside production a missing secret is made once and kept, so that tokens outlive a restart.
 * Two processes that start together agree: the first to give its file the name wins, and the name
 * is never seen without all of its content.
 */
export function keptSecret(dataDir: string, name: string): { value: string; made: boolean } {
  // Others may pass through, since an unprivileged PostgreSQL lives below; they may not list or read.
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const file = path.join(dataDir, name.toLowerCase());
  const made = !fs.existsSync(file) && keepNew(file);
  return { value: readTrimmed(file), made };
}

/** Writes a new secret under a name of this process's own, then links it; false where another process was first. */
function keepNew(file: string): boolean {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    fs.writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true });
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}
