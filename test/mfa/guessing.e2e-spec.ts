import { type GivenTotp, TestApp } from '../support/test-app.js';
import type { Browser } from '../support/browser.js';

/** A stranger who has the password, and guesses at the second factor. */
async function guess(app: TestApp, { person }: GivenTotp, code: string, browser: Browser = app.browser()) {
  const { body } = await browser.login(person).expect(200);
  const { mfa_token } = body as { mfa_token: string };
  return browser.send('post', '/auth/2fa/verify').send({ mfa_token, code });
}

describe('guessing at a second factor', () => {
  let app: TestApp;
  let given: GivenTotp;
  beforeAll(async () => (app = await TestApp.start({ TRUST_PROXY: '1' })));
  beforeEach(async () => (given = await app.givenTotp()));
  afterAll(() => app.stop());

  it('200 wrong codes over 40 half-way tokens: five are looked at', async () => {
    const answers: number[] = [];
    for (let token = 0; token < 40; token++) {
      const browser = app.browser();
      const { body } = await browser.login(given.person).expect(200);
      const { mfa_token } = body as { mfa_token: string };
      for (let time = 0; time < 5; time++) {
        const step = browser.send('post', '/auth/2fa/verify').set('X-Forwarded-For', `203.0.113.${token}`);
        answers.push((await step.send({ mfa_token, code: given.app.wrongCode() })).status);
      }
    }
    expect(answers.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(answers.slice(5))).toEqual(new Set([429]));
    const types = await app.auditTypes(given.person.id);
    expect(types.filter((type) => type === 'mfa.failed')).toHaveLength(5);
    expect(types.filter((type) => type === 'mfa.locked')).toHaveLength(1);
    // The right code is not looked at either.
    const { status, body, headers } = await guess(app, given, given.app.code());
    expect([status, (body as { code: string }).code]).toEqual([429, 'account_locked']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });

  it('never stops the browser that its owner uses, their other factors, or their password', async () => {
    for (let time = 0; time < 5; time++) await guess(app, given, given.app.wrongCode());
    expect((await guess(app, given, given.app.code())).status).toBe(429);
    expect((await guess(app, given, given.app.code(), given.browser)).status).toBe(200);
    expect((await guess(app, given, given.recoveryCodes[0])).status).toBe(200);
    const { body } = await app.browser().login(given.person).expect(200);
    expect(body).toHaveProperty('mfa_token');
  });

  it('ends by time, and grows on repetition', async () => {
    for (let time = 0; time < 5; time++) await guess(app, given, given.app.wrongCode());
    app.advance(15 * 60 + 1);
    for (let time = 0; time < 5; time++) expect((await guess(app, given, given.app.wrongCode())).status).toBe(401);
    const { headers } = await guess(app, given, given.app.code());
    expect(Number(headers['retry-after'])).toBeGreaterThan(15 * 60);
    app.advance(30 * 60 + 1);
    expect((await guess(app, given, given.app.code())).status).toBe(200);
  });

  it('fifty wrong codes at once are five that are looked at', async () => {
    const halves: { browser: Browser; mfa_token: string }[] = [];
    for (let time = 0; time < 50; time++) {
      const browser = app.browser();
      const { body } = await browser.login(given.person).expect(200);
      halves.push({ browser, mfa_token: (body as { mfa_token: string }).mfa_token });
    }
    const code = given.app.wrongCode();
    const answers = await Promise.all(
      halves.map(({ browser, mfa_token }) => browser.send('post', '/auth/2fa/verify').send({ mfa_token, code })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(45);
  });

  it('a right code clears the count', async () => {
    for (let round = 0; round < 3; round++) {
      for (let time = 0; time < 4; time++) expect((await guess(app, given, given.app.wrongCode())).status).toBe(401);
      expect((await guess(app, given, given.app.code())).status).toBe(200);
      app.advance(30);
    }
  });

  it('an administrator releases it with the account', async () => {
    for (let time = 0; time < 5; time++) await guess(app, given, given.app.wrongCode());
    const admin = await app.givenAdmin();
    await admin.post(`/admin/users/${given.person.id}/unlock`).expect(200);
    expect((await guess(app, given, given.app.code())).status).toBe(200);
  });
});
