import type { PasswordContext } from './weakness.js';

const SHORTEST_WORD = 4;
/** What may be left of a password beside the word before it counts as more than that word. */
const FEW = 4;

/**
 * The word of this service or person that a password consists of, but for digits, marks and a few
 * letters (ASVS 6.2.11); else null.
 */
export function contextWordIn(
  password: string,
  { username, email }: PasswordContext,
  serviceWords: readonly string[],
): string | null {
  const bare = lettersOf(password);
  const [local, domain = ''] = email.split('@');
  const words = [...serviceWords, username, local, ...domain.split('.').slice(0, -1)];
  return words.find((word) => isMostly(bare, lettersOf(word))) ?? null;
}

const lettersOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}]/gu, '');

/** Whether nothing much is left of `bare` once every occurrence of `word` is taken out. */
const isMostly = (bare: string, word: string): boolean =>
  word.length >= SHORTEST_WORD && bare.includes(word) && bare.replaceAll(word, '').length < FEW;
