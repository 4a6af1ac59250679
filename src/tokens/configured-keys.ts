import { readFile } from 'node:fs/promises';

import { type Jwk, VerifierConfigError } from '#verifier';

import { type Config, ConfigError } from '../config/config.js';
import {
  canSign,
  type HmacAlgorithm,
  importRingKey,
  type RingKey,
  secretRingKey,
  type SigningKey,
} from './ring-key.js';

/** A setting that brings keys. */
export type KeySetting = 'JWT_SECRET' | 'JWT_KEYS_FILE';

/** The keys of `JWT_SECRET` and `JWT_KEYS_FILE`. The file is read anew when it has changed. */
export class ConfiguredKeys {
  private text: string | null = null;
  private fromFile: readonly RingKey[] = [];
  private readonly secret: SigningKey | null;
  private currentFault: string | null = null;

  private constructor(private readonly settings: Config['tokens']) {
    const { algorithm, secret } = settings;
    const isShared = algorithm.startsWith('HS') && secret !== '';
    this.secret = isShared ? secretRingKey(algorithm as HmacAlgorithm, secret) : null;
  }

  /** @throws ConfigError that shows no key */
  static async load(settings: Config['tokens']): Promise<ConfiguredKeys> {
    const keys = new ConfiguredKeys(settings);
    if (settings.keysFile) keys.take(await read(settings.keysFile));
    return keys;
  }

  get all(): readonly RingKey[] {
    return this.secret ? [this.secret, ...this.fromFile] : this.fromFile;
  }

  /** Those that may sign, by `JWT_ALG`; the first of them does. */
  get candidates(): readonly SigningKey[] {
    const { algorithm } = this.settings;
    return this.all.filter(canSign).filter((key) => key.algorithm === algorithm);
  }

  /** Why the file as it is now is not what is in use; null where it is. */
  get fault(): string | null {
    return this.currentFault;
  }

  settingOf(key: RingKey): KeySetting {
    return key === this.secret ? 'JWT_SECRET' : 'JWT_KEYS_FILE';
  }

  /** Reads the file where there is one. A bad one is a {@link fault}, and what was there before stays. */
  async reload(): Promise<void> {
    if (!this.settings.keysFile) return;
    try {
      const text = await read(this.settings.keysFile);
      if (text !== this.text) this.take(text);
      this.currentFault = null;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.currentFault = error.mistakes.join('; ');
    }
  }

  private take(text: string): void {
    const keys = parse(text);
    const kids = [this.secret, ...keys].flatMap((key) => key?.kid ?? []);
    const twice = kids.find((kid, index) => kids.indexOf(kid) !== index);
    if (twice !== undefined) throw new ConfigError([`JWT_KEYS_FILE names the kid ${twice} twice`]);
    const { algorithm } = this.settings;
    if (!this.secret && !keys.some((key) => canSign(key) && key.algorithm === algorithm))
      throw new ConfigError([`JWT_KEYS_FILE holds no private key for ${algorithm}`]);
    this.fromFile = keys;
    this.text = text;
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new ConfigError(['JWT_KEYS_FILE cannot be read as a JWK Set']);
  }
}

function parse(text: string): RingKey[] {
  let jwks: { keys?: unknown } | null;
  try {
    jwks = JSON.parse(text) as { keys?: unknown } | null;
  } catch {
    throw new ConfigError(['JWT_KEYS_FILE cannot be read as a JWK Set']);
  }
  if (!Array.isArray(jwks?.keys) || jwks.keys.length === 0) throw new ConfigError(['JWT_KEYS_FILE holds no keys']);
  return jwks.keys.map((jwk, index) => importOne(jwk as Jwk, index));
}

function importOne(jwk: Jwk, index: number): RingKey {
  try {
    return importRingKey(jwk);
  } catch (error) {
    const what = error instanceof VerifierConfigError ? error.message : 'is not a valid key';
    throw new ConfigError([`JWT_KEYS_FILE, key ${index + 1}: ${what}`]);
  }
}
