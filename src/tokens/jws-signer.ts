import { Injectable } from '@nestjs/common';

import { signInput } from './jws.js';
import { KeyRing } from './key-ring.js';

/** Signs JWTs with the ring's signing key, at once. The header of a type is encoded once. */
@Injectable()
export class JwsSigner {
  private readonly headers = new Map<string, string>();

  constructor(private readonly ring: KeyRing) {}

  /** A compact JWS (RFC 7515) of `claims`, explicitly typed (RFC 8725, section 3.11). */
  sign(type: string, claims: object): string {
    const { algorithm, signKey } = this.ring.signing;
    const input = `${this.header(type)}.${encode(claims)}`;
    return `${input}.${signInput(algorithm, signKey, input).toString('base64url')}`;
  }

  private header(type: string): string {
    let header = this.headers.get(type);
    if (header === undefined) {
      const { algorithm, kid } = this.ring.signing;
      header = encode({ typ: type, alg: algorithm, kid });
      this.headers.set(type, header);
    }
    return header;
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
