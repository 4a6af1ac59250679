import { RowFault, type TotpSeed } from '../account-candidate.js';
import { isObject, type JsonObject } from '../reading/file-record.js';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** RFC 4226, section 4, asks for 128 bits; apps and services have made 80 (16 characters) all along. */
const MIN_SEED_BYTES = 10;
const MAX_SEED_BYTES = 128;

/** A member that may be missing, null, or of a type. @throws RowFault */
export function optionalText(record: JsonObject, name: string): string | null {
  const value = record[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw new RowFault(name, 'must be text');
  return value;
}

/** True or false, or as text of CSV: `true`, `t`, `false`, `f`, `1`, `0`. Missing is false. @throws RowFault */
export function flag(record: JsonObject, name: string): boolean {
  switch (record[name]) {
    case true:
    case 1:
    case 'true':
    case 't':
    case '1':
      return true;
    case undefined:
    case null:
    case false:
    case 0:
    case '':
    case 'false':
    case 'f':
    case '0':
      return false;
    default:
      throw new RowFault(name, 'must be true or false');
  }
}

/** An object, given as such or, as CSV and some exports do, as the text of one. Missing is empty. @throws RowFault */
export function objectOf(record: JsonObject, name: string): JsonObject {
  const value = parsed(record, name);
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new RowFault(name, 'must be a JSON object');
  return value;
}

/** Objects in an array, given as such or as text. Missing is none. @throws RowFault */
export function objectsOf(record: JsonObject, name: string): JsonObject[] {
  const value = parsed(record, name);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw new RowFault(name, 'must be a JSON array of objects');
  return value;
}

function parsed(record: JsonObject, name: string): unknown {
  const value = record[name];
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    throw new RowFault(name, 'is not JSON');
  }
}

/** Names of roles: an array, or text with commas between. @throws RowFault */
export function rolesOf(value: unknown, field = 'roles'): unknown[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value;
  if (typeof value === 'string')
    return value
      .split(/[,;]/)
      .map((name) => name.trim())
      .filter(Boolean);
  throw new RowFault(field, 'must be an array of names');
}

/** Base32 (RFC 4648, section 6), padded or not, in either case, with spaces. @throws RowFault */
export function seedOfBase32(text: unknown, name: string | null, field = 'totp'): TotpSeed {
  const digits = typeof text === 'string' ? text.replace(/[ -]/g, '').replace(/=+$/, '').toUpperCase() : '';
  if (digits === '' || digits.length > MAX_SEED_BYTES * 2) throw new RowFault(field, 'must be a seed in base32');
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const digit of digits) {
    const five = BASE32.indexOf(digit);
    if (five === -1) throw new RowFault(field, 'must be a seed in base32');
    value = ((value << 5) | five) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return seedOfBytes(Buffer.from(bytes), name, field);
}

/** @throws RowFault */
export function seedOfBytes(seed: Buffer, name: string | null, field = 'totp'): TotpSeed {
  if (seed.length < MIN_SEED_BYTES || seed.length > MAX_SEED_BYTES) {
    throw new RowFault(field, `must be a seed of ${MIN_SEED_BYTES} to ${MAX_SEED_BYTES} bytes`);
  }
  return { seed, name };
}

/** Authenticator apps of other parameters would show codes that are not taken here. @throws RowFault */
export function requireUsualTotp(algorithm: unknown, digits: unknown, period: unknown, field = 'totp'): void {
  const name = algorithm ?? 'SHA1';
  const isSha1 = typeof name === 'string' && /^(hmac)?-?sha-?1$/i.test(name);
  if (!isSha1 || textOf(digits ?? 6) !== '6' || textOf(period ?? 30) !== '30') {
    throw new RowFault(field, 'only codes of SHA-1, six digits and 30 seconds are taken here');
  }
}

/** A text or number as text; '' for all else, some of which no text can be made of. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** Base64 without padding, as PHC strings have it. */
export const withoutPadding = (base64: string): string => base64.replace(/=+$/, '');
