/** Why a new password is refused. */
export type WeaknessReason = 'too_short' | 'unchanged' | 'common' | 'context' | 'guessable' | 'breached';

/** What is wrong with a new password, and what would help: one plain sentence each. */
export interface Weakness {
  readonly reason: WeaknessReason;
  readonly detail: string;
  readonly suggestion: string;
}

/** What is known of whoever sets the password. */
export interface PasswordContext {
  readonly username: string;
  readonly email: string;
}
