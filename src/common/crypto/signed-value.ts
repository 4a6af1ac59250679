import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

const MAC_BYTES = 32;

/**
 * A value that only this service can have made: `base64url(payload ‖ HMAC-SHA-256)`. `context` is
 * signed with it but not carried, which binds the value to a user or session. Payloads whose
 * length is a multiple of three less two leave no loose bits: one spelling a value.
 */
export class SignedValue {
  constructor(
    private readonly key: KeyObject,
    private readonly payloadBytes: number,
  ) {
    if ((payloadBytes + MAC_BYTES) % 3 !== 0) throw new Error('the payload length must leave no loose base64 bits');
  }

  sign(payload: Buffer, context = ''): string {
    return Buffer.concat([payload, this.mac(payload, context)]).toString('base64url');
  }

  /** The payload, or null where the text is not ours, not whole, or of another context. */
  open(text: unknown, context = ''): Buffer | null {
    const length = ((this.payloadBytes + MAC_BYTES) / 3) * 4;
    if (typeof text !== 'string' || text.length !== length || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
    const bytes = Buffer.from(text, 'base64url');
    const payload = bytes.subarray(0, this.payloadBytes);
    return timingSafeEqual(bytes.subarray(this.payloadBytes), this.mac(payload, context)) ? payload : null;
  }

  private mac(payload: Buffer, context: string): Buffer {
    return createHmac('sha256', this.key).update(payload).update(context).digest();
  }
}
