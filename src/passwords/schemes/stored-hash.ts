import { UnusableHashError } from './password-scheme.js';

/** No hash of any scheme here is longer; what is longer is not even matched. */
export const MAX_STORED_LENGTH = 1024;

/** A positive whole number without leading zeros, as PHC strings write them. Exact as a JavaScript number. */
export const NUMBER = String.raw`[1-9]\d{0,14}`;

/**
 * The groups of `pattern` in `stored`, empty where one took no part. Patterns are anchored, and match
 * a text in one way at most, so that matching is linear. @throws UnusableHashError where the text is no such hash
 */
export function matchStored(scheme: string, pattern: RegExp, stored: string): string[] {
  const match = stored.length <= MAX_STORED_LENGTH ? pattern.exec(stored) : null;
  if (!match) throw new UnusableHashError(scheme, 'malformed');
  return match.slice(1).map((group: string | undefined) => group ?? '');
}

/**
 * The bytes of base64 (RFC 4648, section 4), padded or not, but in one spelling: no set bits beyond
 * the last byte. @throws UnusableHashError where it is none, or not of `min` to `max` bytes
 */
export function decodeBase64(scheme: string, text: string, [min, max]: readonly [min: number, max: number]): Buffer {
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  const bytes = Buffer.from(padded, 'base64');
  if (bytes.toString('base64') !== padded || bytes.length < min || bytes.length > max) {
    throw new UnusableHashError(scheme, 'malformed');
  }
  return bytes;
}

/** @throws UnusableHashError where the hash asks for more than its scheme's ceilings allow */
export function requireAffordable(scheme: string, affordable: boolean): void {
  if (!affordable) throw new UnusableHashError(scheme, 'too_costly');
}
