import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  createVerifier,
  RevocationSet,
  type RevocationSink,
  type RevocationSource,
  type Verifier,
} from '../src/index.js';
import { AUDIENCE, ids, ISSUER, NOW, SECRET, TestIssuer, userClaims } from './issuer.js';
import { oddTokens } from './odd-tokens.js';

const issuer = new TestIssuer('HS256', 'one', SECRET);
const keys = [{ alg: 'HS256' as const, secret: SECRET, kid: 'one' }];
const base = { issuer: ISSUER, audience: AUDIENCE, keys, maxTokenAgeSeconds: 3600 };
const entry = (kind: string, subject: string, issued_before: number | null = null) => ({
  id: 'x',
  kind,
  subject,
  issued_before,
  expires_at: new Date((NOW + 900) * 1000).toISOString(),
});

/** Revocations from the test's own hand. */
class HandSource implements RevocationSource {
  sink!: RevocationSink;
  asked = 0;
  active: boolean | Error = true;
  start(sink: RevocationSink): void {
    this.sink = sink;
  }
  close(): void {}
  introspect(): Promise<boolean> {
    this.asked += 1;
    return this.active instanceof Error ? Promise.reject(this.active) : Promise.resolve(this.active);
  }
}

describe('the cache', () => {
  it('forgets tokens of a key that was withdrawn, and of none that stays', async () => {
    const pair = (kid: string) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      return { jwk: { ...publicKey.export({ format: 'jwk' }), kid }, issuer: new TestIssuer('EdDSA', kid, privateKey) };
    };
    const [lost, kept, fresh] = ['lost', 'kept', 'fresh'].map(pair);
    let published = [lost.jwk, kept.jwk];
    const server = http.createServer((_request, response) => response.end(JSON.stringify({ keys: published })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const verifier = createVerifier({ ...base, keys: [], jwksUri, cache: { max: 9 }, now: () => NOW * 1000 });
    try {
      expect(await verifier.ready()).toBe(true);
      const [ofLost, ofKept] = [lost, kept].map((key) => key.issuer.token());
      for (const token of [ofLost, ofKept]) verifier.verifySync(token);
      published = [kept.jwk, fresh.jwk];
      await verifier.verify(fresh.issuer.token()); // fetches the set
      expect(() => verifier.verifySync(ofLost)).toThrow('kid');
      const { cacheMisses } = verifier.stats();
      verifier.verifySync(ofKept);
      expect(verifier.stats()).toMatchObject({ cacheMisses });
    } finally {
      verifier.close();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('verify()', () => {
  let nowMs = NOW * 1000;
  const now = () => nowMs;
  beforeEach(() => (nowMs = NOW * 1000));
  const verifier = createVerifier({ ...base, now });

  it('tells the claims of a good token', async () => {
    await expect(verifier.verify(issuer.token())).resolves.toEqual(userClaims());
    expect(verifier.verifySync(issuer.token(userClaims({ nbf: NOW, extra: 1 })))).toMatchObject({ extra: 1 });
  });

  it('knows a service by its own token', () => {
    const { iss, aud, iat, exp, jti } = userClaims();
    const service = { iss, aud, iat, exp, jti, scope: 'a', sub: 'billing', client_id: 'billing' };
    expect(verifier.verifySync(issuer.token(service)).sid).toBeUndefined();
    expect(() => verifier.verifySync(issuer.token({ ...service, sub: 'other' }))).toThrow('client_id');
  });

  const odd = oddTokens(issuer);
  it.each(odd.map(({ name, ...rest }) => [name, rest] as const))(
    'refuses %s',
    async (_name, { token, result, reason }) => {
      const error = await verifier.verify(token).then(
        () => null,
        (refused: Error & { code: string; reason: string }) => refused,
      );
      expect([error?.code, error?.reason]).toEqual([result, reason]);
      if (token) expect(error!.message).not.toContain(token);
    },
  );

  it('has a name of its own for each of them', () => {
    expect(odd.length).toBeGreaterThan(80);
    expect(new Set(odd.map(({ name }) => name)).size).toBe(odd.length);
  });

  it('verifies every algorithm, and mixes none up', () => {
    const pairs = {
      EdDSA: generateKeyPairSync('ed25519'),
      ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    };
    const all = Object.entries(pairs).map(([alg, { privateKey, publicKey }]) => ({
      alg,
      signer: new TestIssuer(alg, alg, privateKey),
      jwk: { ...publicKey.export({ format: 'jwk' }), alg, kid: alg },
    }));
    const many = createVerifier({ ...base, keys: all.map(({ jwk }) => jwk), now });
    for (const { signer } of all) {
      expect(many.verifySync(signer.token())).toEqual(userClaims());
      for (const { alg } of all)
        if (alg !== signer.alg)
          expect(() => many.verifySync(signer.token(userClaims(), { typ: 'at+jwt', alg, kid: signer.alg }))).toThrow(
            'alg',
          );
    }
    // A public key as an HMAC secret: the classic confusion.
    const pem = pairs.RS256.publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const confused = new TestIssuer('HS256', 'RS256', pem);
    expect(() => many.verifySync(confused.token())).toThrow('alg');
  });

  it.each([
    ['a short secret', { alg: 'HS256' as const, secret: 'short' }],
    ['a weak RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })],
    ['a point off its curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['a key for encryption', { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), use: 'enc' }],
    [
      'an alg that does not fit',
      { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), alg: 'ES256' },
    ],
  ])('is not made with %s', (_name, key) => {
    expect(() => createVerifier({ ...base, keys: [key] })).toThrow(/key|secret/);
  });

  it('binds a token to its device where it is asked to', () => {
    const bound = issuer.token(userClaims({ device_id: 'phone' }));
    expect(verifier.verifySync(bound, { deviceId: 'phone' })).toBeDefined();
    expect(() => verifier.verifySync(bound, { deviceId: 'other' })).toThrow('device');
    expect(() => verifier.verifySync(bound, { deviceId: '' })).toThrow('device');
    expect(verifier.verifySync(issuer.token(), { deviceId: 'any' })).toBeDefined();
  });
});

describe('revocations', () => {
  const now = () => NOW * 1000;
  const hand = (
    options: Partial<Parameters<typeof createVerifier>[0]> = {},
  ): { verifier: Verifier; source: HandSource } => {
    const source = new HandSource();
    return { source, verifier: createVerifier({ ...base, now, revocations: source, ...options }) };
  };

  it.each([
    ['token', ids.token, null],
    ['session', ids.session, null],
    ['user', ids.user, NOW],
    ['user', ids.user, null],
    ['key', 'one', null],
  ])('of a %s refuse its tokens', (kind, subject, before) => {
    const { verifier, source } = hand();
    source.sink.synced();
    expect(verifier.verifySync(issuer.token())).toBeDefined();
    source.sink.add(entry(kind, subject, before));
    expect(() => verifier.verifySync(issuer.token())).toThrow(
      expect.objectContaining({ code: 'token_revoked', reason: kind }),
    );
  });

  it('of a user up to a time leave later tokens alone', () => {
    const { verifier, source } = hand();
    source.sink.add(entry('user', ids.user, NOW - 60));
    expect(verifier.verifySync(issuer.token(userClaims({ iat: NOW - 60 })))).toBeDefined();
    expect(() => verifier.verifySync(issuer.token(userClaims({ iat: NOW - 61 })))).toThrow('user');
  });

  it('may come twice, in any order, of unknown kinds and malformed', () => {
    const { verifier, source } = hand();
    for (const odd of [null, 1, {}, { kind: 'session' }, entry('galaxy', 'x'), entry('session', '')])
      source.sink.add(odd as never);
    source.sink.add(entry('user', ids.user, NOW));
    source.sink.add(entry('user', ids.user, NOW - 3600));
    expect(() => verifier.verifySync(issuer.token())).toThrow('user');
    expect(verifier.stats()).toMatchObject({ ignoredEntries: 6, entries: 1 });
  });

  it('override the cache, as expiry does', () => {
    let ms = NOW * 1000;
    const { verifier, source } = hand({ cache: { max: 2 }, now: () => ms });
    const token = issuer.token();
    const first = verifier.verifySync(token);
    expect(verifier.verifySync(token)).toBe(first);
    expect(Object.isFrozen(first.roles)).toBe(true);
    expect(verifier.stats()).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
    expect(() => verifier.verifySync(issuer.token(userClaims({ device_id: 'a' })), { deviceId: 'b' })).toThrow(
      'device',
    );
    ms += 840_000;
    expect(() => verifier.verifySync(token)).toThrow(expect.objectContaining({ code: 'token_expired' }));
    ms -= 840_000;
    source.sink.add(entry('session', ids.session));
    expect(() => verifier.verifySync(token)).toThrow(expect.objectContaining({ code: 'token_revoked' }));
  });

  it('leave once no token is left that they could refuse', () => {
    let ms = NOW * 1000;
    const set = new RevocationSet(() => ms);
    expect(set.add(entry('session', 'a'))).toBe('added');
    expect(set.size).toBe(1);
    ms += 1_000_000;
    set.sweep();
    expect(set.size).toBe(0);
    expect(set.add(entry('session', 'a'))).toBe('expired');
  });

  it('unknown for too long are accepted, rejected or asked about, as one chose', async () => {
    const accepting = hand({ onStale: 'accept' });
    expect(accepting.verifier.stats().stale).toBe(true);
    await expect(accepting.verifier.verify(issuer.token())).resolves.toBeDefined();

    const rejecting = hand({ onStale: 'reject', staleAfterSeconds: 0.05 });
    await expect(rejecting.verifier.verify(issuer.token())).rejects.toMatchObject({ code: 'verifier_stale' });
    rejecting.source.sink.synced();
    await expect(rejecting.verifier.verify(issuer.token())).resolves.toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(() => rejecting.verifier.verifySync(issuer.token())).toThrow(
      expect.objectContaining({ code: 'verifier_stale' }),
    );

    const asking = hand({ onStale: 'introspect' });
    await expect(asking.verifier.verify(issuer.token())).resolves.toBeDefined();
    asking.source.active = false;
    await expect(asking.verifier.verify(issuer.token())).rejects.toMatchObject({ code: 'token_revoked' });
    asking.source.active = new Error('away');
    await expect(asking.verifier.verify(issuer.token())).rejects.toMatchObject({ code: 'verifier_stale' });
    asking.source.sink.synced();
    await expect(asking.verifier.verify(issuer.token())).resolves.toBeDefined();
    expect(asking.source.asked).toBe(3);
  });

  it('keep ruling while the feed starts anew', () => {
    const { verifier, source } = hand();
    source.sink.add(entry('session', ids.session));
    source.sink.reset();
    expect(() => verifier.verifySync(issuer.token())).toThrow('session');
    source.sink.synced(); // all has come, and it was not among it
    expect(verifier.verifySync(issuer.token())).toBeDefined();
  });
});
