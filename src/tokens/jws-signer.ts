import { Injectable } from '@nestjs/common';

import { signInput } from './jws.js';
import { KeyRing } from './key-ring.js';
import type { SigningKey } from './ring-key.js';

/** Signs JWTs with the ring's key for their audience, at once. The header of a key and a type is encoded once. */
@Injectable()
export class JwsSigner {
  private readonly headers = new WeakMap<SigningKey, Map<string, string>>();

  constructor(private readonly ring: KeyRing) {}

  /**
   * A compact JWS (RFC 7515) of `claims`, explicitly typed (RFC 8725, section 3.11).
   * @throws Problem `overloaded` while there is no key to sign with: before the first one was read
   */
  sign(type: string, claims: object): string {
    const key = this.ring.signerFor((claims as { aud?: unknown }).aud);
    const input = `${this.header(key, type)}.${encode(claims)}`;
    return `${input}.${signInput(key.algorithm, key.signKey, input).toString('base64url')}`;
  }

  private header(key: SigningKey, type: string): string {
    let headers = this.headers.get(key);
    if (!headers) this.headers.set(key, (headers = new Map<string, string>()));
    let header = headers.get(type);
    if (header === undefined) {
      header = encode({ typ: type, alg: key.algorithm, kid: key.kid });
      headers.set(type, header);
    }
    return header;
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
