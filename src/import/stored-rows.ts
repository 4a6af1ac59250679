/** Names of accounts, as a batch asks for them. `at` is the record's number in the file, from 1. */
export interface NamesOfRow {
  readonly at: number;
  readonly line: number;
  readonly username: string;
  readonly email: string;
  /** Null where the id is one of ours, which nobody else has. */
  readonly id: string | null;
}

/** Which of a row's names somebody has. */
export interface Taken {
  readonly at: number;
  readonly username: boolean;
  readonly email: boolean;
  readonly id: boolean;
}

/** A row with the line of an earlier one that has the same name. */
export interface Repeated {
  readonly at: number;
  readonly username: number | null;
  readonly email: number | null;
  readonly id: number | null;
}

/** A record whose id an earlier one has, in line `earlier`. */
export interface RepeatedOwner {
  readonly at: number;
  readonly earlier: number;
}

/** One row of `users`, and the id of its audit row. */
export interface NewAccount {
  readonly id: string;
  readonly auditId: string;
  readonly username: string;
  readonly usernameCanonical: string;
  readonly email: string;
  readonly emailCanonical: string;
  readonly emailVerifiedAt: Date | null;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly isActive: boolean;
  readonly mustChangePassword: boolean;
  readonly attributes: string;
  readonly createdAt: Date;
}

export interface NewSeed {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly keyId: string;
  readonly seed: Buffer;
}
