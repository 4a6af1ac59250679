import { Janitor } from '../../src/common/janitor.js';
import type { Browser } from '../support/browser.js';
import { PASSWORD, TestApp } from '../support/test-app.js';

describe('what is one’s own', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const send = (browser: Browser, token: string, method: 'get' | 'patch' | 'delete', path: string) =>
    browser.send(method, path).set('Authorization', `Bearer ${token}`);

  describe('a profile', () => {
    it('changes by the password, and signs in by its new names', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      const names = { username: `${person.username}x`, email: `x.${person.email}` };
      await app.rows('update users set email_verified_at = now() where id = $1', [person.id]);
      const { body } = await send(browser, accessToken, 'patch', '/auth/me')
        .send({ ...names, current_password: PASSWORD })
        .expect(200);
      expect(body).toMatchObject({ ...names, email_verified: false });
      await app.client().login(person).expect(401);
      await app
        .client()
        .login({ ...person, username: names.username })
        .expect(200);
      await app
        .client()
        .login({ ...person, username: names.email })
        .expect(200);
      expect(await app.auditTypes(person.id)).toContain('profile.changed');
    });

    it('keeps a verified address that only its spelling changes of', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      await app.rows('update users set email_verified_at = now() where id = $1', [person.id]);
      const change = { email: person.email.toUpperCase(), current_password: PASSWORD };
      const { body } = await send(browser, accessToken, 'patch', '/auth/me').send(change).expect(200);
      expect(body).toMatchObject({ email: change.email, email_verified: true, username: person.username });
    });

    it('does not change by a wrong password, to a taken name, or to nothing', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      const other = await app.givenPerson();
      const change = (body: object) => send(browser, accessToken, 'patch', '/auth/me').send(body);
      expect(
        (await change({ username: 'newname', current_password: 'not the password' }).expect(401)).body,
      ).toMatchObject({ code: 'invalid_credentials' });
      const taken = { username: other.username.toUpperCase(), current_password: PASSWORD };
      expect((await change(taken).expect(409)).body).toMatchObject({ code: 'username_taken' });
      expect((await change({ email: other.email, current_password: PASSWORD }).expect(409)).body).toMatchObject({
        code: 'email_taken',
      });
      for (const body of [
        {},
        { current_password: PASSWORD },
        { username: 'a b', current_password: PASSWORD },
        { username: 'newname' },
        { roles: ['admin'], current_password: PASSWORD },
      ])
        await change(body).expect(422);
      await app.client().login(person).expect(200);
    });
  });

  it('is taken along whole, and without a secret', async () => {
    const { person, browser, accessToken, app: authenticator, recoveryCodes } = await app.givenTotp();
    const { body, headers, text } = await send(browser, accessToken, 'get', '/auth/me/export').expect(200);
    expect(headers['content-disposition']).toContain('attachment');
    expect(body).toMatchObject({
      profile: { id: person.id, username: person.username, email: person.email },
      second_factors: { totp: [{ name: 'Authenticator app' }], recovery_codes_left: 10 },
    });
    const { sessions, devices, activity } = body as { sessions: object[]; devices: object[]; activity: object[] };
    expect([sessions.length, devices.length]).toEqual([2, 1]);
    expect(activity).toHaveLength((await app.auditTypes(person.id)).length - 1); // but for the export itself
    const [{ secrets }] = await app.rows<{ secrets: string[] }>(
      `select array[u.password_hash, encode(s.salt_hash, 'hex')] as secrets from users u join sessions s on s.user_id = u.id where u.id = $1 limit 1`,
      [person.id],
    );
    for (const secret of [authenticator.secret, ...recoveryCodes, ...secrets]) expect(text).not.toContain(secret);
  });

  describe('an account', () => {
    const remove = (browser: Browser, token: string, password = PASSWORD) =>
      send(browser, token, 'delete', '/auth/me').send({ password });
    const tidy = () => app.app.get(Janitor, { strict: false }).tidy();
    const exists = async (id: string) => (await app.rows('select 1 from users where id = $1', [id])).length === 1;

    it('ends its sessions at once, and goes when the grace is over', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      expect((await remove(browser, accessToken, 'not the password').expect(401)).body).toMatchObject({
        code: 'invalid_credentials',
      });
      const { body } = await remove(browser, accessToken).expect(202);
      const at = Date.parse((body as { deleted_at: string }).deleted_at);
      expect(Math.round((at - app.now.getTime()) / 86_400_000)).toBe(14);
      await browser.refresh().expect(401);
      await tidy();
      expect(await exists(person.id)).toBe(true);
      await app.rows("update users set delete_at = now() - interval '1 second' where id = $1", [person.id]);
      await tidy();
      expect(await exists(person.id)).toBe(false);
      expect((await app.auditTypes(person.id)).slice(-1)).toEqual(['user.deleted']);
      await app.client().login(person).expect(401);
    });

    it('stays where its owner signs in before that', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      await remove(browser, accessToken).expect(202);
      await app.client().login(person).expect(200);
      await app.rows("update users set delete_at = delete_at - interval '15 days' where id = $1", [person.id]);
      await tidy();
      expect(await exists(person.id)).toBe(true);
      expect(await app.auditTypes(person.id)).toContain('user.deletion_cancelled');
    });

    it('of the last administrator stays', async () => {
      const admin = await app.givenAdmin();
      const gone = await admin.delete('/auth/me').send({ password: PASSWORD }).expect(409);
      expect(gone.body).toMatchObject({ code: 'last_administrator' });
      const other = await app.givenAdmin();
      await admin.delete('/auth/me').send({ password: PASSWORD }).expect(202);
      // The one who is going counts for one no more.
      await other.delete('/auth/me').send({ password: PASSWORD }).expect(409);
    });
  });

  it('asks for a recent proof', async () => {
    const { browser } = await app.givenSignedIn();
    app.advance(15 * 60 + 1);
    const { access_token } = (await browser.refresh().expect(200)).body as { access_token: string };
    for (const [method, path] of [
      ['patch', '/auth/me'],
      ['get', '/auth/me/export'],
      ['delete', '/auth/me'],
    ] as const)
      expect((await send(browser, access_token, method, path).expect(403)).body).toMatchObject({
        code: 'step_up_required',
      });
  });
});

describe('ACCOUNT_DELETION_DAYS=0', () => {
  it('deletes at once', async () => {
    const app = await TestApp.start({ ACCOUNT_DELETION_DAYS: '0' });
    try {
      const { person, browser, accessToken } = await app.givenSignedIn();
      await browser
        .send('delete', '/auth/me')
        .set('Authorization', `Bearer ${accessToken}`)
        .send({ password: PASSWORD })
        .expect(202);
      expect(await app.rows('select 1 from users')).toEqual([]);
      await browser.refresh().expect(401);
      expect((await app.auditTypes(person.id)).at(-1)).toBe('user.deleted');
    } finally {
      await app.stop();
    }
  });
});
