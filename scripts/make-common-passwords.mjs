// Writes assets/common-passwords.txt: the common passwords that the shortest allowed minimum lets through.
// Source: @zxcvbn-ts/language-common (MIT), its list of leaked passwords, the most frequent first.
import { writeFileSync } from 'node:fs';

import { dictionary } from '@zxcvbn-ts/language-common';

const SHORTEST_MINIMUM = 8;
const listed = dictionary['passwords-common'].map((word) => String(word).normalize('NFC').toLowerCase());
const kept = [...new Set(listed)].filter((word) => [...word].length >= SHORTEST_MINIMUM && !/[\r\n]/.test(word));
writeFileSync(new URL('../assets/common-passwords.txt', import.meta.url), `${kept.join('\n')}\n`);
