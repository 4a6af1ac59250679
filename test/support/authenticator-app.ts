import { generateSync } from 'otplib';

const PERIOD_SECONDS = 30;

/** An app that shows codes for a secret, by the clock that it is given. */
export class AuthenticatorApp {
  constructor(
    readonly secret: string,
    private readonly now: () => Date,
  ) {}

  /** The code of now, or of a number of steps before or after it. */
  code(steps = 0): string {
    const epoch = Math.floor(this.now().getTime() / 1000) + steps * PERIOD_SECONDS;
    return generateSync({ secret: this.secret, epoch });
  }

  /** A code that is not right now, nor a step before or after. */
  wrongCode(): string {
    const near = [-2, -1, 0, 1, 2].map((steps) => this.code(steps));
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code))!;
  }
}
