import { parentPort } from 'node:worker_threads';

import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english, translations } from '@zxcvbn-ts/language-en';

/** Only so much of a password is looked at: the estimate's time grows steeply with the length. */
const MAX_LENGTH = 40;

export interface StrengthQuestion {
  readonly id: number;
  readonly password: string;
  readonly words: string[];
}

export interface StrengthAnswer {
  readonly id: number;
  /** 0 (guessed at once) to 4. */
  readonly score: number;
  readonly warning: string | null;
  readonly suggestion: string | null;
}

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common, ...english },
  graphs: adjacencyGraphs,
  translations,
  maxLength: MAX_LENGTH,
  l33tMaxSubstitutions: 2,
});

parentPort?.on('message', ({ id, password, words }: StrengthQuestion) => {
  const { score, feedback } = zxcvbn.check([...password].slice(0, MAX_LENGTH).join(''), words);
  const answer: StrengthAnswer = { id, score, warning: feedback.warning, suggestion: feedback.suggestions[0] ?? null };
  parentPort!.postMessage(answer);
});
