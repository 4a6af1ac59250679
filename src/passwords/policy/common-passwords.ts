import { readFileSync } from 'node:fs';
import path from 'node:path';

import { packageRoot } from '../../common/package-root.js';

/**
 * The shipped list of leaked passwords, compared whole (NIST SP 800-63B, 3.1.1.2; ASVS 6.2.4), in any
 * case of its letters. Read once, when first asked.
 */
export class CommonPasswords {
  private words: Set<string> | null = null;

  constructor(private readonly file = path.join(packageRoot, 'assets/common-passwords.txt')) {}

  has(password: string): boolean {
    this.words ??= new Set(readFileSync(this.file, 'utf8').split('\n').filter(Boolean));
    return this.words.has(password.normalize('NFC').toLowerCase());
  }
}
