import type { ConfiguredKeys } from './configured-keys.js';
import type { RingContents } from './key-ring.js';
import { canSign, type RingKey, type SigningKey } from './ring-key.js';
import type { StoredKey } from './signing-key.entity.js';

/** A row with its key; null where that does not open, or is destroyed. */
export interface OpenedKey {
  readonly row: StoredKey;
  readonly key: RingKey | null;
}

/** Whether it may sign, as far as its row says. The clock of whoever activated it may be ahead of this one, so no time is asked. */
export const isActive = ({ activeFrom, retiredAt }: StoredKey): boolean => activeFrom !== null && retiredAt === null;

/** Whether tokens of it may be alive at `now`. */
export const isLive = ({ verifiesUntil }: StoredKey, now: Date): boolean =>
  verifiesUntil === null || verifiesUntil > now;

/**
 * The one rule by which keys combine (docs/adr/0011): all verify. Of the database's, the one that became active last
 * signs; where none is active, `JWT_ALG` chooses among the settings'. A row about a key of the settings counts for more
 * than the settings.
 */
export function compose(configured: ConfiguredKeys, opened: readonly OpenedKey[], now: Date): RingContents {
  const rows = new Map(opened.map(({ row }) => [row.kid, row]));
  const compromised = new Set(opened.flatMap(({ row }) => (row.compromisedAt ? row.kid : [])));
  const stored = opened.flatMap(({ row, key }) => (key && isLive(row, now) ? key : []));
  const ofSettings = configured.all.filter(({ kid }) => {
    const row = rows.get(kid);
    return !row || (row.sealed === null && isLive(row, now));
  });
  return {
    keys: [...stored, ...ofSettings],
    signers: signersOf(configured, opened),
    compromised,
  };
}

function signersOf(configured: ConfiguredKeys, opened: readonly OpenedKey[]): Map<string | null, SigningKey> {
  const signers = new Map<string | null, SigningKey>();
  const first = configured.candidates.find(({ kid }) => !opened.some(({ row }) => row.kid === kid));
  if (first) signers.set(null, first);
  const active = opened
    .filter(({ row }) => isActive(row))
    .toSorted((a, b) => Number(a.row.activeFrom) - Number(b.row.activeFrom));
  for (const { key } of active) if (key && canSign(key)) signers.set(key.audience, key);
  return signers;
}
