import { randomUUID } from 'node:crypto';

import { UnsecuredJWT } from 'jose';
import request from 'supertest';

import { Clock } from '../../src/common/clock.js';
import { Janitor } from '../../src/common/janitor.js';
import { assertion, carrying, form, newPair, oauthPost, type PairAlgorithm } from '../support/oauth-caller.js';
import { type GivenClient, TestApp } from '../support/test-app.js';

const AUDIENCE = 'https://invoices.example.com';
const GRANT = { grant_type: 'client_credentials' };

describe('client authentication', () => {
  let app: TestApp;
  let client: GivenClient;
  beforeAll(async () => {
    app = await TestApp.start();
    client = await app.givenClient({ audiences: [AUDIENCE] });
  });
  afterAll(() => app.stop());

  const token = (members: Record<string, string>, authorization?: string) =>
    oauthPost(app, 'token', form({ ...GRANT, ...members }), authorization);
  const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

  it('by a secret, in the header or in the body', async () => {
    const { clientId, clientSecret, authorization } = client;
    await token({}, authorization).expect(200);
    await token({ client_id: clientId }, authorization).expect(200);
    await token({ client_id: clientId, client_secret: clientSecret }).expect(200);
  });

  it('refuses everybody else alike', async () => {
    const { clientId, clientSecret } = client;
    const wrong = [
      basic(clientId, `${clientSecret}x`),
      basic(clientId, ''),
      basic(randomUUID(), clientSecret),
      basic('x', clientSecret),
      basic(`${clientId}\0`, clientSecret),
      'Basic %%%',
      `Bearer ${clientSecret}`,
    ];
    for (const authorization of wrong) {
      const { status, body, headers } = await token({}, authorization);
      expect([authorization, status, body.error]).toEqual([authorization, 401, 'invalid_client']);
      expect(headers['www-authenticate']).toMatch(/^Basic /);
    }
    await token({}).expect(401);
    await token({ client_id: clientId }).expect(401);
    await token({ client_id: clientId, client_secret: 'x' }).expect(401);
    const rows = await app.rows<{ details: { client_id?: string } }>(
      `select details from audit_events where type = 'client.refused'`,
    );
    expect(rows.map(({ details }) => details.client_id)).toContain(clientId);
    expect(JSON.stringify(rows)).not.toContain(clientSecret);
  });

  describe('by an assertion', () => {
    it.each(['ES256', 'EdDSA', 'RS256', 'PS256'] satisfies PairAlgorithm[])('signed with %s', async (algorithm) => {
      const pair = newPair(algorithm);
      const { clientId, clientSecret } = await app.givenClient({ audiences: [AUDIENCE], jwks: pair.jwks });
      expect(clientSecret).toBe('');
      await token(carrying(await assertion(app, clientId, pair))).expect(200);
      const url = `${app.config.http.publicUrl}/oauth/token`;
      await token({ client_id: clientId, ...carrying(await assertion(app, clientId, pair, { aud: url })) }).expect(200);
      await oauthPost(
        app,
        'introspect',
        form({ token: 'x', ...carrying(await assertion(app, clientId, pair)) }),
      ).expect(200);
    });

    it('once: of 20 at once one succeeds, also at another replica, and its row goes when it is over', async () => {
      const pair = newPair();
      const { clientId } = await app.givenClient({ audiences: [AUDIENCE], jwks: pair.jwks });
      const replica = await app.replica();
      try {
        const signed = carrying(await assertion(app, clientId, pair));
        const body = form({ ...GRANT, ...signed });
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) => oauthPost(index % 2 ? app : replica, 'token', body)),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
        expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
        const spent = () => app.rows('select 1 from spent_assertions where client_id = $1', [clientId]);
        expect(await spent()).toHaveLength(1);
        await app.app.get(Janitor).tidy();
        expect(await spent()).toHaveLength(1);
        for (const each of [app, replica]) each.advance(70);
        await app.app.get(Janitor).tidy();
        expect(await spent()).toEqual([]);
        await token(signed).expect(401);
      } finally {
        await replica.stop();
      }
    });

    it('once, also when its end has a fraction of a second', async () => {
      const pair = newPair();
      const { clientId } = await app.givenClient({ audiences: [AUDIENCE], jwks: pair.jwks });
      const second = Math.floor(app.now.getTime() / 1000) + 1;
      const clock = app.app.get(Clock);
      const { now } = clock;
      const at = (seconds: number) => (clock.now = () => new Date((second + seconds) * 1000));
      try {
        at(0);
        const signed = carrying(await assertion(app, clientId, pair, { exp: second + 20.05 }));
        await token(signed).expect(200);
        at(25.3);
        await app.app.get(Janitor).tidy();
        await token(signed).expect(401);
      } finally {
        clock.now = now;
      }
    });

    it('that is for this service, recent, and really the client’s', async () => {
      const pair = newPair();
      const { clientId } = await app.givenClient({ audiences: [AUDIENCE], jwks: pair.jwks });
      const now = Math.floor(app.now.getTime() / 1000);
      const bad: Record<string, Parameters<typeof assertion>[3]> = {
        'another audience': { aud: 'https://elsewhere.example.com' },
        'two audiences': { aud: [app.config.tokens.issuer, 'https://elsewhere.example.com'] },
        'no audience': { aud: undefined },
        'another issuer': { iss: client.clientId },
        'another subject': { sub: client.clientId },
        expired: { exp: now - 60 },
        'no end': { exp: undefined },
        'an hour': { exp: now + 3600 },
        'from the future': { iat: now + 600 },
        'not yet': { nbf: now + 600 },
        'no id': { jti: undefined },
        'an empty id': { jti: '' },
      };
      for (const [name, claims] of Object.entries(bad)) {
        const { status, body } = await token(carrying(await assertion(app, clientId, pair, claims)));
        expect([name, status, body.error]).toEqual([name, 401, 'invalid_client']);
      }
      const foreign = [
        await assertion(app, clientId, newPair('ES256', pair.kid)),
        await assertion(app, clientId, newPair('RS256')),
        new UnsecuredJWT({
          iss: clientId,
          sub: clientId,
          aud: app.config.tokens.issuer,
          jti: 'x',
          exp: now + 60,
        }).encode(),
        await assertion(app, randomUUID(), pair),
        'x.y.z',
        'x',
      ];
      for (const signed of foreign) expect((await token(carrying(signed))).status).toBe(401);
      await token({ client_id: client.clientId, ...carrying(await assertion(app, clientId, pair)) }).expect(400);
      await token({ client_assertion: await assertion(app, clientId, pair) }).expect(400);
      await token(carrying(await assertion(app, clientId, pair)), client.authorization).expect(400);
    });

    it('and by no key that was taken away, nor by a disabled client', async () => {
      const admin = await app.givenAdmin();
      const [old, next] = [newPair(), newPair('EdDSA')];
      const { clientId } = await app.givenClient({ audiences: [AUDIENCE], jwks: old.jwks });
      await admin.patch(`/admin/clients/${clientId}`).send({ jwks: next.jwks }).expect(200);
      await token(carrying(await assertion(app, clientId, old))).expect(401);
      await token(carrying(await assertion(app, clientId, next))).expect(200);
      await admin.delete(`/admin/clients/${clientId}`).expect(204);
      await token(carrying(await assertion(app, clientId, next))).expect(401);
    });
  });
});

describe('failed client authentication', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ THROTTLE_CLIENT: '5/60', TRUST_PROXY: '1' })));
  afterAll(() => app.stop());

  const introspect = (ip: string, id: string, secret: string) =>
    request(app.url).post('/oauth/introspect').set('X-Forwarded-For', ip).auth(id, secret).type('form').send('token=x');

  it('is slowed down by its address, and good clients behind that are not', async () => {
    const { clientId, clientSecret } = await app.givenClient();
    await introspect('203.0.113.1', clientId, clientSecret).expect(200);
    const wrong = await Promise.all(Array.from({ length: 50 }, () => introspect('203.0.113.1', clientId, 'wrong')));
    expect(wrong.filter(({ status }) => status === 401)).toHaveLength(5);
    const limited = wrong.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(45);
    expect(Number(limited[0].headers['retry-after'])).toBeGreaterThan(0);
    expect(limited[0].body.code).toBe('rate_limited');
    for (let time = 0; time < 20; time++) await introspect('203.0.113.1', clientId, clientSecret).expect(200);
    await introspect('203.0.113.2', clientId, 'wrong').expect(401);
    app.advance(61);
    await introspect('203.0.113.1', clientId, 'wrong').expect(401);
  });

  it('in a flood is refused without a look, but for clients that were there before', async () => {
    const known = await app.givenClient();
    const unknown = await app.givenClient();
    const ip = '203.0.113.9';
    await introspect(ip, known.clientId.toUpperCase(), known.clientSecret).expect(200);
    for (let time = 0; time <= 50; time++) await introspect(ip, randomUUID(), 'wrong');
    await introspect(ip, known.clientId, known.clientSecret).expect(200);
    await introspect(ip, known.clientId.toUpperCase(), known.clientSecret).expect(200);
    await introspect(ip, unknown.clientId, unknown.clientSecret).expect(429);
    await introspect('203.0.113.10', unknown.clientId, unknown.clientSecret).expect(200);
    app.advance(61);
    await introspect(ip, unknown.clientId, unknown.clientSecret).expect(200);
  });
});
