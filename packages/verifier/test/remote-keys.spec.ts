import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';

import { RemoteKeys } from '../src/remote-keys.js';

const jwk = (kid: string) => ({ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid });

describe('published keys', () => {
  let answer: unknown = { keys: [] };
  let asked = 0;
  /** When each fetch began. */
  let begun: number[];
  let server: http.Server;
  let keys: RemoteKeys;
  beforeEach(async () => {
    asked = 0;
    server = http.createServer((_request, response) => {
      asked += 1;
      if (answer instanceof Error) response.writeHead(500).end();
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUri = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
    begun = [];
    const fetch: typeof globalThis.fetch = (...request) => {
      begun.push(performance.now());
      return globalThis.fetch(...request);
    };
    keys = new RemoteKeys({ jwksUri, cooldownMs: 100, maxAgeMs: 60_000, fetch });
  });
  afterEach(async () => {
    keys.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('are fetched anew for a key that is not among them, once for all that ask, and no more often than the cool-down allows', async () => {
    answer = { keys: [jwk('old')] };
    keys.start();
    await keys.whenLoaded();
    answer = { keys: [jwk('old'), jwk('new')] };
    await Promise.all(Array.from({ length: 20 }, () => keys.refresh('new')));
    expect(begun).toHaveLength(2);
    expect(begun[1] - begun[0]).toBeGreaterThan(95);
    expect(keys.find('new')?.algorithm).toBe('EdDSA');
  });

  it('that are new are found while tokens with made-up ones come all the time', async () => {
    answer = { keys: [jwk('old')] };
    keys.start();
    await keys.whenLoaded();
    let over = false;
    const flood = async () => {
      while (!over) await keys.refresh('made-up');
    };
    const floods = Array.from({ length: 50 }, flood);
    await pause(150);
    answer = { keys: [jwk('old'), jwk('new')] };
    await keys.refresh('new');
    expect(keys.find('new')).toBeDefined();
    over = true;
    await Promise.all(floods);
    expect(asked).toBeLessThan(8);
  });

  it('let no more than a thousand tokens wait', async () => {
    keys.start();
    await keys.whenLoaded();
    const waiting = Array.from({ length: 1000 }, () => keys.refresh('made-up'));
    await expect(Promise.race([keys.refresh('one too many').then(() => 'refused'), ...waiting])).resolves.toBe(
      'refused',
    );
    await Promise.all(waiting);
  });

  it('outlast an endpoint that fails, and a set that makes no sense', async () => {
    answer = { keys: [jwk('kept')] };
    keys.start();
    await keys.whenLoaded();
    for (const odd of [new Error(), 'no json', { keys: 1 }, { keys: Array(101).fill(jwk('x')) }, 'x'.repeat(300_000)]) {
      answer = odd;
      await pause(120);
      await keys.refresh('another');
      expect(keys.find('kept')).toBeDefined();
    }
  });

  it('leave with a set that is empty: the last one may have been withdrawn', async () => {
    answer = { keys: [jwk('withdrawn')] };
    keys.start();
    await keys.whenLoaded();
    answer = { keys: [] };
    await keys.refresh('another');
    expect(keys.size).toBe(0);
  });

  it('pass over what is not for us: secrets, encryption, other curves, the second of one kid', async () => {
    const first = jwk('twice');
    const odd = [
      { kty: 'oct', k: 'A'.repeat(60), kid: 'secret' },
      { ...jwk('enc'), use: 'enc' },
      null,
      { kty: 'EC', crv: 'P-384' },
    ];
    answer = { keys: [...odd, first, jwk('twice')] };
    keys.start();
    await keys.whenLoaded();
    expect(keys.size).toBe(1);
    expect(keys.find('twice')!.verifyKey.export({ format: 'jwk' }).x).toBe(first.x);
  });
});
