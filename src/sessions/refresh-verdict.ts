/** The part of a session's row that decides about a refresh token. Instants are milliseconds. */
export interface RefreshState {
  counter: number;
  parentCounter: number | null;
  parentSpentAt: number | null;
  rotatedAt: number | null;
  idleExpiresAt: number;
  expiresAt: number;
  endedAt: number | null;
  userIsActive: boolean;
}

export interface RefreshWindows {
  reuseGraceSeconds: number;
  lostAnswerSeconds: number;
}

/**
 * - `rotate`: the live token; its successor is next.
 * - `repeat`: its parent, again, at once: the same successor.
 * - `recover`: its parent, later, from the same device: the answer was lost. Past the lost successor.
 * - `replay`: genuine but spent: somebody holds a copy. The session ends.
 * - `expired`, `ended`: the session is over.
 */
export type RefreshVerdict = 'rotate' | 'repeat' | 'recover' | 'replay' | 'expired' | 'ended';

/**
 * Judges a genuine refresh token by its number (docs/adr/0001). That the live token was not used
 * yet needs no record: had it been, it would not be the live one.
 * @param sameDevice Whether the request carries the evidence of the session's own device.
 */
export function judgeRefresh(
  presented: number,
  state: RefreshState,
  windows: RefreshWindows,
  sameDevice: boolean,
  now: number,
): RefreshVerdict {
  if (state.endedAt !== null || !state.userIsActive) return 'ended';
  if (now >= state.expiresAt || now >= state.idleExpiresAt) return 'expired';
  if (presented === state.counter) return 'rotate';
  if (presented !== state.parentCounter) return 'replay';
  // After a healing the grace is for the device that healed: the first one, for whoever came at once, is long over.
  const isFirstGrace = state.rotatedAt === state.parentSpentAt;
  if ((isFirstGrace || sameDevice) && within(windows.reuseGraceSeconds, state.rotatedAt, now)) return 'repeat';
  if (sameDevice && within(windows.lostAnswerSeconds, state.parentSpentAt, now)) return 'recover';
  return 'replay';
}

/** A window of no length holds nothing, not even its own instant. */
const within = (seconds: number, since: number | null, now: number): boolean =>
  since !== null && seconds > 0 && now - since <= seconds * 1000;
