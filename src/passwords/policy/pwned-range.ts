import { createHash } from 'node:crypto';

const PATIENCE_MS = 800;
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Asks Have I Been Pwned by k-anonymity: five hex digits of the hash leave the service, padded
 * answers hide which. Opt-in; without an answer in time the password counts as not found.
 */
export class PwnedRange {
  constructor(
    private readonly onFault: (error: Error) => void,
    private readonly baseUrl = 'https://api.pwnedpasswords.com',
  ) {}

  async has(password: string): Promise<boolean> {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    try {
      const response = await fetch(`${this.baseUrl}/range/${hash.slice(0, 5)}`, {
        headers: { 'Add-Padding': 'true' },
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!response.ok) throw new Error(`the range API answered ${response.status}`);
      const text = (await response.text()).slice(0, MAX_ANSWER_BYTES);
      const [, count] = new RegExp(`^${hash.slice(5)}:(\\d+)\\s*$`, 'm').exec(text) ?? [];
      return Number(count ?? 0) > 0; // padding comes with a count of 0
    } catch (error) {
      this.onFault(error as Error);
      return false;
    }
  }
}
