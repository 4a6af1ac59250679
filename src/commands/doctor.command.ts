import { ConfigError, loadConfig } from '../config/config.js';
import { diagnose } from './doctor.js';
import type { Finding } from './finding.js';
import type { Output } from './output.js';
import { lookAround } from './surroundings.js';

/** Looks at everything and says what it found. Returns whether nothing is wrong. */
export async function examine(env: NodeJS.ProcessEnv, output: Output): Promise<boolean> {
  const findings = await find(env);
  output.list(findings.map((finding) => ({ ...finding })));
  return findings.every(({ state }) => state !== 'wrong');
}

async function find(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  try {
    const config = loadConfig({ env });
    return diagnose(config, await lookAround(config));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = 'Mend the setting; .env.example explains each one.';
    return error.mistakes.map((mistake) => ({ check: 'configuration', state: 'wrong', found: mistake, advice }));
  }
}
