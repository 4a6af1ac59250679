/** Why a stored hash cannot be checked. */
export type UnusableReason = 'malformed' | 'too_costly';

/** A stored hash is broken, or so costly that checking it would exhaust the machine. The message never holds the hash. */
export class UnusableHashError extends Error {
  constructor(
    readonly scheme: string,
    readonly reason: UnusableReason,
  ) {
    super(`the stored ${scheme} hash is ${reason === 'malformed' ? 'malformed' : 'too costly to check'}`);
    this.name = 'UnusableHashError';
  }
}

/** One way in which passwords are, or once were, hashed. */
export interface PasswordScheme {
  readonly name: string;
  /** Whether `stored` looks like this scheme's, well formed or not; cheap, and never throws. */
  recognises(stored: string): boolean;
  /** Looks at the form and the cost alone, as an import does: no work. @throws UnusableHashError */
  inspect(stored: string): void;
  /** Whether the password fits. Compares in constant time. @throws UnusableHashError before any costly work */
  verify(password: string, stored: string): Promise<boolean>;
}
