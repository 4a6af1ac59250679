import fs from 'node:fs';

import type { FirebaseHashing } from './import-format.js';

const NAMES = ['base64_signer_key', 'base64_salt_separator', 'rounds', 'mem_cost'] as const;

/**
 * Reads the parameters as Firebase's console shows them (`hash_config { algorithm: SCRYPT, base64_signer_key: …, … }`), or as
 * JSON with the same names. From a file: the signer key is a secret. @throws Error in plain words
 */
export function readFirebaseHashing(file: string): FirebaseHashing {
  const text = fs.readFileSync(file, 'utf8');
  const [signerKey, saltSeparator, rounds, memoryCost] = NAMES.map((name) => {
    const value = new RegExp(String.raw`\b${name}"?\s*[:=]\s*"?([A-Za-z0-9+/_-]*={0,2})`).exec(text)?.[1];
    if (value === undefined) throw new Error(`${file}: ${name} is missing`);
    return value;
  });
  return { signerKey, saltSeparator, rounds: Number(rounds), memoryCost: Number(memoryCost) };
}
