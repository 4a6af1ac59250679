import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

interface CreationOptions {
  challenge: string;
  rp: { id: string };
  user: { id: string };
}

interface RequestOptions {
  challenge: string;
  rpId: string;
}

const FLAGS = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 };

/** An authenticator in software: one ES256 key, and the WebAuthn answers that a browser would give with it. */
export class SoftPasskey {
  private readonly key: KeyObject;
  private readonly x: Buffer;
  private readonly y: Buffer;
  readonly credentialId = randomBytes(32);
  private userHandle = '';
  signCount = 0;

  constructor(
    private readonly origin: string,
    private readonly options: { verifiesUser?: boolean; counts?: boolean; synced?: boolean } = {},
  ) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
    this.key = privateKey;
    [this.x, this.y] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  }

  /** What `navigator.credentials.create` answers. */
  create({ challenge, rp, user }: CreationOptions, origin = this.origin) {
    this.userHandle = user.id;
    const cose = Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
      this.x,
      Buffer.from([0x22, 0x58, 0x20]),
      this.y,
    ]);
    const attested = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([0, this.credentialId.length]),
      this.credentialId,
      cose,
    ]);
    const authenticatorData = Buffer.concat([this.header(rp.id, FLAGS.attested), attested]);
    const attestationObject = Buffer.concat([
      Buffer.from([0xa3]),
      cborText('fmt'),
      cborText('none'),
      cborText('attStmt'),
      Buffer.from([0xa0]),
      cborText('authData'),
      Buffer.from([0x59, authenticatorData.length >> 8, authenticatorData.length & 255]),
      authenticatorData,
    ]);
    return this.credential({
      clientDataJSON: clientData('webauthn.create', challenge, origin).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** What `navigator.credentials.get` answers. */
  get({ challenge, rpId }: RequestOptions, origin = this.origin) {
    if (this.options.counts) this.signCount++;
    const authenticatorData = this.header(rpId);
    const clientDataJSON = clientData('webauthn.get', challenge, origin);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]);
    return this.credential({
      clientDataJSON: clientDataJSON.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: createSign('sha256').update(signed).sign(this.key).toString('base64url'),
      ...(this.userHandle !== '' && { userHandle: this.userHandle }),
    });
  }

  private header(rpId: string, more = 0): Buffer {
    const { verifiesUser = true, synced = false } = this.options;
    const flags =
      FLAGS.userPresent |
      (verifiesUser ? FLAGS.userVerified : 0) |
      (synced ? FLAGS.backupEligible | FLAGS.backedUp : 0) |
      more;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.signCount);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), count]);
  }

  private credential<T extends object>(response: T) {
    const id = this.credentialId.toString('base64url');
    return { id, rawId: id, type: 'public-key' as const, response, clientExtensionResults: {} };
  }
}

const clientData = (type: string, challenge: string, origin: string): Buffer =>
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));

const cborText = (text: string): Buffer => Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
