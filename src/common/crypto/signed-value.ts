import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

const MAC_BYTES = 32;

/**
 * A value that only this service can have made: `base64url(payload ‖ HMAC-SHA-256)`. `context` is
 * signed with it but not carried, which binds the value to a user or session. Payloads whose
 * length is a multiple of three less two leave no loose bits: one spelling a value. The first key
 * signs and all open, so that a value outlives a change of `MASTER_SECRET`.
 */
export class SignedValue {
  constructor(
    private readonly keys: readonly KeyObject[],
    private readonly payloadBytes: number,
  ) {
    if ((payloadBytes + MAC_BYTES) % 3 !== 0) throw new Error('the payload length must leave no loose base64 bits');
  }

  sign(payload: Buffer, context = ''): string {
    return Buffer.concat([payload, mac(this.keys[0], payload, context)]).toString('base64url');
  }

  /** The payload, or null where the text is not ours, not whole, or of another context. */
  open(text: unknown, context = ''): Buffer | null {
    const length = ((this.payloadBytes + MAC_BYTES) / 3) * 4;
    if (typeof text !== 'string' || text.length !== length || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
    const bytes = Buffer.from(text, 'base64url');
    const payload = bytes.subarray(0, this.payloadBytes);
    const given = bytes.subarray(this.payloadBytes);
    return this.keys.some((key) => timingSafeEqual(given, mac(key, payload, context))) ? payload : null;
  }
}

const mac = (key: KeyObject, payload: Buffer, context: string): Buffer =>
  createHmac('sha256', key).update(payload).update(context).digest();
