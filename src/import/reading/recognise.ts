import { FORMATS } from '../formats/formats.js';
import type { ImportFormat } from '../formats/import-format.js';
import { isObject } from './file-record.js';

/** How a file holds its records: rows, one JSON object a line, a JSON array, or a JSON object with arrays in it. */
export type Shape = 'csv' | 'lines' | 'array' | 'object';

const SHAPES: Readonly<Record<string, Shape>> = { '.csv': 'csv', '.jsonl': 'lines', '.ndjson': 'lines' };

/** By the extension where it says so, else by how it begins. `head` is the first part of the file. */
export function recogniseShape(head: string, extension: string): Shape {
  const begin = head.trimStart();
  if (extension in SHAPES) return SHAPES[extension];
  if (begin.startsWith('[')) return 'array';
  if (!begin.startsWith('{')) return 'csv';
  const endOfLine = begin.search(/[\r\n]|$/);
  const first = parse(begin.slice(0, endOfLine));
  // One line may be a whole document as well: then nothing follows, and it is no account.
  const isFirstOfMany = isObject(first) && begin.slice(endOfLine).trimStart().startsWith('{');
  return isFirstOfMany || (isObject(first) && 'email' in first) ? 'lines' : 'object';
}

/** Names of members that no other system's export has, those that are told apart best first. */
const EVIDENCE: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['firebase', /"localId"\s*:/],
  ['keycloak', /"(realm|realmRoles|credentialData|createdTimestamp|requiredActions)"\s*:/],
  ['supabase', /"(encrypted_password|raw_app_meta_data)"\s*:/],
  [
    'auth0',
    /"(custom_password_hash|passwordHash|app_metadata|user_metadata|mfa_factors|_id)"\s*:|"user_id"\s*:\s*"auth0\|/,
  ],
  ['better-auth', /"(emailVerified|providerId|provider_id|displayUsername|twoFactorEnabled)"\s*:/],
];
const FIREBASE_CSV_MIN_COLUMNS = 26;

/** Which system's export it is; the service's own form where nothing says otherwise. */
export function recogniseFormat(head: string, shape: Shape): ImportFormat {
  return FORMATS.find(({ name }) => name === (shape === 'csv' ? nameOfCsv(head) : nameOfJson(head)))!;
}

const nameOfJson = (head: string): string => EVIDENCE.find(([, pattern]) => pattern.test(head))?.[0] ?? 'latchkey';

function nameOfCsv(head: string): string {
  const first = head.slice(0, head.search(/[\r\n]|$/)).split(',');
  if (first.some((name) => name.includes('encrypted_password'))) return 'supabase';
  return first.length >= FIREBASE_CSV_MIN_COLUMNS ? 'firebase' : 'latchkey';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
