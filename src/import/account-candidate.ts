/** Why a row cannot be imported. Neither member ever holds a secret, or what stood in the file. */
export class RowFault extends Error {
  constructor(
    readonly field: string,
    readonly reason: string,
  ) {
    super(`${field}: ${reason}`);
  }
}

export interface TotpSeed {
  readonly seed: Buffer;
  readonly name: string | null;
}

/** An account as a format reads it from a record, before it is held against this service's rules. */
export interface AccountCandidate {
  /** What the old system called it. */
  readonly id?: unknown;
  /** Missing, or an e-mail address: it is derived from `email`. */
  readonly username?: unknown;
  readonly email?: unknown;
  readonly emailVerified: boolean;
  /** In a form that the registry of schemes knows; null where the account has no password. */
  readonly passwordHash: string | null;
  readonly totp: readonly TotpSeed[];
  readonly roles: readonly unknown[];
  readonly isActive: boolean;
  readonly mustChangePassword: boolean;
  /** A time as ISO 8601, or as milliseconds since 1970. */
  readonly createdAt?: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Second factors that cannot be taken along, by kind. */
  readonly leftBehind: readonly string[];
}
