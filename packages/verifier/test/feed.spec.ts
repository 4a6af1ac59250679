import http from 'node:http';

import { createVerifier, type Verifier, type VerifierOptions } from '../src/index.js';
import { AUDIENCE, ids, ISSUER, SECRET, TestIssuer, userClaims } from './issuer.js';

const issuer = new TestIssuer('HS256', 'one', SECRET);
const nowSeconds = () => Math.floor(Date.now() / 1000);
const token = () => issuer.token(userClaims({ iat: nowSeconds() - 5, exp: nowSeconds() + 600 }));
const entry = (kind: string, subject: string) =>
  JSON.stringify({ kind, subject, issued_before: null, expires_at: new Date(Date.now() + 600_000).toISOString() });
const revocation = (id: string, subject: string) =>
  `id: ${id}\nevent: revocation\ndata: ${entry('session', subject)}\n\n`;
const sync = (id: string) => `id: ${id}\nevent: sync\ndata: {}\n\n`;

/** A real server that says what the test wants it to. */
class Origin {
  readonly streams: { request: http.IncomingMessage; response: http.ServerResponse }[] = [];
  onStream: (response: http.ServerResponse, request: http.IncomingMessage) => void = () => {};
  introspection: unknown = { active: true };
  jwks: unknown = { keys: [] };
  jwksAsked = 0;
  private server!: http.Server;
  url = '';

  async start(port = 0): Promise<this> {
    this.server = http.createServer((request, response) => {
      if (request.url === '/revocations/stream') {
        this.streams.push({ request, response });
        this.onStream(response, request);
      } else if (request.url === '/oauth/introspect') response.end(JSON.stringify(this.introspection));
      else if (request.url === '/jwks') {
        this.jwksAsked += 1;
        response.end(JSON.stringify(this.jwks));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const open = (response: http.ServerResponse, text = sync('1')): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(text);
};

async function eventually(condition: () => boolean, ms = 8000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the feed', () => {
  let origin: Origin;
  const verifiers: Verifier[] = [];
  beforeEach(async () => (origin = await new Origin().start()));
  afterEach(async () => {
    for (const verifier of verifiers.splice(0)) verifier.close();
    await origin.stop();
  });

  const follow = (options: Partial<VerifierOptions> = {}): Verifier => {
    const verifier = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: [{ alg: 'HS256', secret: SECRET, kid: 'one' }],
      revocations: { url: origin.url, clientId: 'a:b', clientSecret: 'c d%' },
      ...options,
    });
    verifiers.push(verifier);
    return verifier;
  };
  const isRevoked = (verifier: Verifier): boolean => {
    try {
      verifier.verifySync(token());
      return false;
    } catch (error) {
      return (error as { code: string }).code === 'token_revoked';
    }
  };

  it('takes effect at once, in whatever pieces it arrives', async () => {
    origin.onStream = (response) => open(response);
    const verifier = follow();
    await expect(verifier.ready()).resolves.toBe(true);
    expect(origin.streams[0].request.headers.authorization).toBe(
      `Basic ${Buffer.from('a%3Ab:c%20d%25').toString('base64')}`,
    );
    expect(isRevoked(verifier)).toBe(false);
    for (const byte of Buffer.from(`: é\r\n${revocation('2', ids.session).replaceAll('\n', '\r\n')}`)) {
      origin.streams[0].response.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => isRevoked(verifier));
    expect(verifier.stats()).toMatchObject({ entries: 1, stale: false, feed: { connected: true, reconnects: 0 } });
  });

  it('is resumed after a cut, by the last id', async () => {
    origin.onStream = (response) => open(response, sync('41'));
    const verifier = follow();
    await verifier.ready();
    origin.streams[0].response.write(revocation('42', 'x'));
    await eventually(() => verifier.stats().entries === 1);
    origin.streams[0].response.destroy();
    await eventually(() => origin.streams.length === 2);
    expect(origin.streams[1].request.headers['last-event-id']).toBe('42');
    await eventually(() => verifier.stats().feed!.connected);
    expect(verifier.stats().feed!.reconnects).toBe(1);
  });

  it('is read from the beginning where the first backlog was cut', async () => {
    origin.onStream = (response) => {
      open(response, revocation('7', 'x'));
      if (origin.streams.length === 1) setTimeout(() => response.destroy(), 20);
    };
    follow();
    await eventually(() => origin.streams.length === 2);
    expect(origin.streams[1].request.headers['last-event-id']).toBeUndefined();
  });

  it('keeps what it knows while it is away, and heals by itself', async () => {
    origin.onStream = (response) => open(response, revocation('1', ids.session) + sync('1'));
    const verifier = follow({ onStale: 'reject', staleAfterSeconds: 0.3 });
    await verifier.ready();
    expect(isRevoked(verifier)).toBe(true);
    const port = Number(new URL(origin.url).port);
    await origin.stop();
    await eventually(() => verifier.stats().stale);
    expect(isRevoked(verifier)).toBe(true);
    origin = await new Origin().start(port);
    origin.onStream = (response) => open(response);
    await eventually(() => !verifier.stats().stale);
  });

  it('may be away when the verifier starts', async () => {
    const port = Number(new URL(origin.url).port);
    await origin.stop();
    const verifier = follow({ revocations: { url: `http://127.0.0.1:${port}`, clientId: 'a', clientSecret: 'b' } });
    await expect(verifier.ready(100)).resolves.toBe(false);
    await expect(verifier.verify(token())).resolves.toBeDefined(); // onStale: accept
    origin = await new Origin().start(port);
    origin.onStream = (response) => open(response);
    await expect(verifier.ready()).resolves.toBe(true);
  });

  it('is opened anew where it falls silent', async () => {
    origin.onStream = (response) => open(response);
    const verifier = follow({ staleAfterSeconds: 0.2 });
    await verifier.ready();
    await eventually(() => origin.streams.length >= 2);
  });

  it.each([
    ['a refusal', (response: http.ServerResponse) => response.writeHead(401).end(), 'HTTP 401'],
    ['a failure', (response: http.ServerResponse) => response.writeHead(500).end('x'), 'HTTP 500'],
    ['another page', (response: http.ServerResponse) => response.end('<html>'), 'no event stream'],
    [
      'an endless line',
      (response: http.ServerResponse) => open(response, `data: ${'x'.repeat(70_000)}`),
      'oversized event',
    ],
  ])('says what is wrong with %s, and shows no secret', async (_name, answer, lastError) => {
    origin.onStream = answer;
    const verifier = follow();
    await eventually(() => verifier.stats().feed!.lastError === lastError);
    expect(JSON.stringify(verifier.stats())).not.toContain('c d%');
  });

  it('survives garbage, comments and kinds that it does not know', async () => {
    const garbage = 'data: {{{\n\nevent: revocation\ndata: no json\n\nevent: other\ndata: 1\n\nfield\n:\n\n';
    const unknown = `event: revocation\ndata: ${entry('galaxy', 'x')}\n\n`;
    origin.onStream = (response) => open(response, garbage + unknown + revocation('1', ids.session) + sync('1'));
    const verifier = follow();
    await verifier.ready();
    expect(isRevoked(verifier)).toBe(true);
    expect(verifier.stats().ignoredEntries).toBe(2);
  });

  it('asks the issuer where it is stale and told to', async () => {
    const verifier = follow({ onStale: 'introspect' });
    await expect(verifier.verify(token())).resolves.toBeDefined();
    origin.introspection = { active: false };
    await expect(verifier.verify(token())).rejects.toMatchObject({ code: 'token_revoked' });
    origin.introspection = 'garbage';
    await expect(verifier.verify(token())).rejects.toMatchObject({ code: 'verifier_stale' });
  });

  it('fetches keys at the start and for a kid that it does not know, but not for each', async () => {
    const verifier = follow({ keys: undefined, jwksUri: `${origin.url}/jwks`, revocations: undefined });
    await verifier.ready();
    const refusals = Array.from({ length: 5 }, () =>
      expect(verifier.verify(token())).rejects.toMatchObject({ reason: 'kid' }),
    );
    await Promise.all(refusals);
    expect(origin.jwksAsked).toBe(2); // one for all of them
  });
});
