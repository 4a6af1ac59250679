import { createVerifier } from '#verifier';

import { claimsOf, form, givenToken, oauthPost } from '../support/oauth-caller.js';
import { eventually } from '../support/service-process.js';
import { type GivenClient, JWT_SECRET, TestApp } from '../support/test-app.js';

const INVOICES = 'https://invoices.example.com';

describe('POST /oauth/revoke', () => {
  let app: TestApp;
  let invoices: GivenClient;
  let billing: GivenClient;
  beforeAll(async () => {
    app = await TestApp.start();
    invoices = await app.givenClient({ served_audiences: [INVOICES] });
    billing = await app.givenClient({ audiences: [INVOICES] });
  });
  afterAll(() => app.stop());

  const revoke = (token: string, by = billing, hint?: string) =>
    oauthPost(app, 'revoke', form({ token, ...(hint && { token_type_hint: hint }) }), by.authorization);
  const isActive = async (token: string, at = app) =>
    (await oauthPost(at, 'introspect', form({ token }), invoices.authorization).expect(200)).body.active as boolean;
  const rowsOf = (token: string) =>
    app.rows(
      `select client_id, user_id, outcome from audit_events where type = 'token.revoked' and details->>'jti' = $1`,
      [claimsOf(token).jti],
    );

  it('ends a token of one’s own, at every replica at once, and alone', async () => {
    const replica = await app.replica();
    try {
      const [token, other] = [await givenToken(app, billing), await givenToken(app, billing)];
      const { text, headers } = await revoke(token).expect(200);
      expect([text, headers['cache-control']]).toEqual(['', 'no-store']);
      expect([await isActive(token), await isActive(token, replica)]).toEqual([false, false]);
      expect([await isActive(other), await isActive(other, replica)]).toEqual([true, true]);
      await revoke(token).expect(200);
      expect(await rowsOf(token)).toEqual([{ client_id: billing.clientId, user_id: null, outcome: 'success' }]);
    } finally {
      await replica.stop();
    }
  });

  it('writes one row and one entry, however many ask at once', async () => {
    const token = await givenToken(app, billing);
    const answers = await Promise.all(Array.from({ length: 10 }, () => revoke(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await rowsOf(token)).toHaveLength(1);
    expect(await app.rows('select 1 from revocations where subject = $1', [claimsOf(token).jti])).toHaveLength(1);
  });

  it('ends a token that a replica ahead of this one made, whose time is to come', async () => {
    const replica = await app.replica();
    try {
      replica.advance(8);
      const token = await givenToken(replica, billing);
      await revoke(token).expect(200);
      expect(await rowsOf(token)).toHaveLength(1);
      expect(await isActive(token, replica)).toBe(false);
    } finally {
      await replica.stop();
    }
  });

  it('follows a client that is changed again and again, whose next token counts at once', async () => {
    const admin = await app.givenAdmin();
    const client = await app.givenClient({ audiences: [INVOICES] });
    const change = () => admin.patch(`/admin/clients/${client.clientId}`).send({ scopes: [] });
    const answers = [];
    for (let time = 0; time < 8; time++) answers.push(await change());
    const refused = answers.filter(({ status }) => status !== 200);
    expect(answers[0].status).toBe(200);
    expect(refused.map(({ status, body }) => [status, body.code])).toContainEqual([429, 'rate_limited']);
    expect(refused[0].headers['retry-after']).toMatch(/^[1-3]$/);
    const token = await givenToken(app, client);
    expect(await isActive(token)).toBe(true);
    await revoke(token, client).expect(200);
    expect(await rowsOf(token)).toHaveLength(1);
  });

  it('refuses what is somebody else’s, which goes on, and does nothing to what is no token', async () => {
    const { accessToken, browser } = await app.givenSignedIn();
    const foreign = await givenToken(app, await app.givenClient({ audiences: [INVOICES] }));
    for (const token of ['x', 'a.b.c', `${foreign}x`]) expect((await revoke(token).expect(200)).text).toBe('');
    for (const token of [foreign, accessToken])
      for (const hint of [undefined, 'refresh_token'])
        expect((await revoke(token, billing, hint).expect(400)).body.error).toBe('invalid_request');
    expect(await isActive(foreign)).toBe(true);
    await browser.send('get', '/auth/me').set('Authorization', `Bearer ${accessToken}`).expect(200);
    expect((await revoke('x', billing, 'refresh_token').expect(400)).body.error).toBe('unsupported_token_type');
    expect((await oauthPost(app, 'revoke', 'token_type_hint=x', billing.authorization).expect(400)).body.error).toBe(
      'invalid_request',
    );
    await oauthPost(app, 'revoke', 'token=x').expect(401);
  });

  it('reaches a verifier within a second, as does a change or the end of the client', async () => {
    const admin = await app.givenAdmin();
    const path = `/admin/clients/${billing.clientId}`;
    const verifier = createVerifier({
      issuer: app.config.tokens.issuer,
      audience: INVOICES,
      keys: [{ alg: 'HS256', secret: JWT_SECRET }],
      revocations: { url: app.url, ...(await app.givenClient()) },
    });
    const isRevoked = (token: string) =>
      verifier.verify(token).then(
        () => false,
        ({ code }: { code: string }) => code === 'token_revoked',
      );
    const endings: ((token: string) => PromiseLike<unknown>)[] = [
      (token) => revoke(token).expect(200),
      () =>
        admin
          .patch(path)
          .send({ scopes: ['a'] })
          .expect(200),
      () => admin.post(`${path}/secrets`).send({ overlap_hours: 1 }).expect(201),
      () => admin.delete(path).expect(204),
    ];
    try {
      for (const [index, end] of endings.entries()) {
        const token = await givenToken(app, billing);
        expect(await isRevoked(token)).toBe(false);
        await end(token);
        const endedAt = performance.now();
        if (index === 2) continue; // a rotation with an overlap ends nothing
        await eventually(() => isRevoked(token));
        expect(performance.now() - endedAt).toBeLessThan(1000);
      }
    } finally {
      verifier.close();
    }
  });
});
