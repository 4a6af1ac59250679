import type { Algorithm } from '#verifier';

import type { ConfiguredKeys, KeySetting } from '../tokens/configured-keys.js';
import { canSign, type RingKey } from '../tokens/ring-key.js';
import { compose, isActive, isLive, type OpenedKey } from '../tokens/ring-composition.js';

/**
 * What a key does: `published` verifies and waits to sign; `signing` signs and verifies; `active` signed, or
 * would if the one that signs were gone; `verifying` is one of the settings that signs nothing; `retired` verifies
 * until its last token ends; `destroyed` is history; `unreadable` was sealed under another `MASTER_SECRET`.
 */
export type KeyState =
  'published' | 'signing' | 'active' | 'verifying' | 'retired' | 'compromised' | 'destroyed' | 'unreadable';

/** A key as operators see it. Holds nothing secret. */
export interface KeyStatus {
  readonly kid: string;
  /** Null for a compromised one that is known by its id alone. */
  readonly algorithm: Algorithm | null;
  readonly state: KeyState;
  readonly audience: string | null;
  readonly source: 'database' | KeySetting;
  readonly createdAt: Date | null;
  readonly activeFrom: Date | null;
  readonly retiredAt: Date | null;
  readonly verifiesUntil: Date | null;
}

/** Every key: those of the database as they were made, and then those of the settings. */
export function statusesOf(configured: ConfiguredKeys, opened: readonly OpenedKey[], now: Date): KeyStatus[] {
  const signing = new Set([...compose(configured, opened, now).signers.values()].map(({ kid }) => kid));
  const settingOf = (kid: string) => {
    const key = configured.all.find((one) => one.kid === kid);
    return key && configured.settingOf(key);
  };
  const stored = opened.map(({ row, key }): KeyStatus => {
    const { kid, algorithm, audience, createdAt, activeFrom, retiredAt, verifiesUntil } = row;
    const times = { createdAt, activeFrom, retiredAt, verifiesUntil };
    const source = (row.sealed === null && settingOf(kid)) || 'database';
    return { kid, algorithm, state: stateOf({ row, key }, signing, now), audience, source, ...times };
  });
  const others = configured.all.filter(({ kid }) => !opened.some(({ row }) => row.kid === kid));
  return [...stored, ...others.map((key) => ofSettings(key, configured, signing))];
}

function stateOf({ row, key }: OpenedKey, signing: ReadonlySet<string>, now: Date): KeyState {
  if (row.compromisedAt) return 'compromised';
  if (!isLive(row, now)) return 'destroyed';
  if (!key) return 'unreadable';
  if (row.retiredAt) return 'retired';
  if (signing.has(row.kid)) return 'signing';
  return isActive(row) ? 'active' : 'published';
}

function ofSettings(key: RingKey, configured: ConfiguredKeys, signing: ReadonlySet<string>): KeyStatus {
  const never = { createdAt: null, activeFrom: null, retiredAt: null, verifiesUntil: null };
  const isCandidate = canSign(key) && configured.candidates.includes(key);
  const state = signing.has(key.kid) ? 'signing' : isCandidate ? 'active' : 'verifying';
  const { kid, algorithm, audience } = key;
  return { kid, algorithm, state, audience, source: configured.settingOf(key), ...never };
}
