import request from 'supertest';

import { Janitor } from '../../src/common/janitor.js';
import { TestApp } from '../support/test-app.js';

describe('sessions', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ SESSIONS_PER_USER: '4', LOCKOUT_ATTEMPTS: '50' })));
  afterAll(() => app.stop());

  const bearer = (method: 'get' | 'post' | 'delete', path: string, token: string) =>
    request(app.url)[method](path).set('Authorization', `Bearer ${token}`);
  const list = async (token: string) => (await bearer('get', '/auth/sessions', token).expect(200)).body.items;

  it('are listed with device and place, newest first, the one that asks marked', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const phone = app.client('okhttp/4.12.0');
    const { body } = await phone.login(person, 'phone-1').expect(200);
    const sessions = await list(body.access_token);
    expect(sessions).toHaveLength(3); // the registration's, the browser's, the phone's
    expect(sessions[0]).toEqual({
      id: expect.any(String),
      current: true,
      device: 'okhttp',
      ip: '127.0.0.1',
      city: null,
      country: null,
      created_at: expect.stringMatching(/Z$/),
      last_seen_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
    });
    expect(sessions[1]).toMatchObject({ current: false, device: 'Chrome on Linux' });
    expect((await list(accessToken)).map(({ current }: { current: boolean }) => current)).toEqual([false, true, false]);
  });

  it('come in pages', async () => {
    const { accessToken } = await app.givenSignedIn();
    const first = await bearer('get', '/auth/sessions?limit=1', accessToken).expect(200);
    const next = `/auth/sessions?limit=1&cursor=${first.body.next_cursor}`;
    const second = await bearer('get', next, accessToken).expect(200);
    expect(second.body.next_cursor).toBeNull();
    expect(second.body.items[0].id < first.body.items[0].id).toBe(true);
  });

  it('end one by one, at once', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const other = await app.client().login(person).expect(200);
    const [{ id }] = (await list(accessToken)).filter(({ current }: { current: boolean }) => !current);
    await bearer('delete', `/auth/sessions/${id}`, accessToken).expect(204);
    expect((await app.client().me(other.body.access_token).expect(401)).body.code).toBe('token_revoked');
    expect((await app.client().refresh(other.body.refresh_token).expect(401)).body.code).toBe('token_revoked');
    await bearer('delete', `/auth/sessions/${id}`, accessToken).expect(404);
    await browser.refresh().expect(200);
  });

  it('of somebody else are not there', async () => {
    const [mine, theirs] = [await app.givenSignedIn(), await app.givenSignedIn()];
    const [{ id }] = await list(theirs.accessToken);
    const { body } = await bearer('delete', `/auth/sessions/${id}`, mine.accessToken).expect(404);
    expect(body.code).toBe('not_found');
    await theirs.browser.refresh().expect(200);
    await bearer('delete', '/auth/sessions/1', mine.accessToken).expect(422);
  });

  it('end all but the one that asks', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const other = await app.client().login(person).expect(200);
    const { body } = await bearer('post', '/auth/sessions/revoke-others', accessToken).expect(200);
    expect(body).toEqual({ revoked: 2 });
    await app.client().me(other.body.access_token).expect(401);
    await app.client().me(accessToken).expect(200);
    await browser.refresh().expect(200);
    expect(await list(accessToken)).toHaveLength(1);
  });

  it('end everywhere, this one too, and the browser forgets its cookies', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const other = await app.client().login(person).expect(200);
    const answer = await browser
      .send('post', '/auth/logout-all')
      .set('Authorization', `Bearer ${accessToken}`)
      .expect(200);
    expect(answer.body).toEqual({ revoked: 3 });
    expect(browser.cookie('refresh_token')).toBeUndefined();
    await app.client().me(accessToken).expect(401);
    await app.client().refresh(other.body.refresh_token).expect(401);
    // A sign-in in the same second counts: its token is not from before the cut-off.
    const again = await app.client().login(person).expect(200);
    await app.client().me(again.body.access_token).expect(200);
    expect((await app.auditTypes(person.id)).filter((type) => type === 'session.ended')).toHaveLength(3);
  });

  it('are so many for one user at most: the one seen longest ago ends', async () => {
    const person = await app.givenPerson();
    const tokens: string[] = [];
    for (let time = 0; time < 4; time++) tokens.push((await app.client().login(person).expect(200)).body.refresh_token);
    const [registered] = await app.rows<{ end_reason: string }>(
      'select end_reason from sessions where user_id = $1 order by id',
      [person.id],
    );
    expect(registered.end_reason).toBe('session_limit');
    const { body } = await app.client().refresh(tokens[0]).expect(200); // the oldest, but seen last
    await app.client().login(person).expect(200);
    await app.client().refresh(tokens[1]).expect(401);
    await app.client().refresh(body.refresh_token).expect(200);
  });

  it('are so many also when sign-ins come at once', async () => {
    const person = await app.givenPerson();
    await Promise.all(Array.from({ length: 12 }, () => app.client().login(person).expect(200)));
    const [{ live }] = await app.rows<{ live: number }>(
      'select count(*)::int as live from sessions where user_id = $1 and ended_at is null',
      [person.id],
    );
    expect(live).toBe(4);
  });

  it('that a phone named itself to are refreshed by no other', async () => {
    const person = await app.givenPerson();
    const phone = app.client();
    const { body } = await phone.login(person, 'phone-1').expect(200);
    expect(JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString()).device_id).toBe('phone-1');
    const refused = await phone.refresh(body.refresh_token, 'phone-2').expect(401);
    expect(refused.body.code).toBe('token_invalid');
    expect(await app.auditTypes(person.id)).toContain('session.refresh_refused');
    await phone.refresh(body.refresh_token, 'phone-1').expect(200);
  });

  it('that are long over are removed, in batches, and no others', async () => {
    const { person, browser } = await app.givenSignedIn();
    await app.rows(
      `insert into sessions (id, user_id, salt_hash, auth_time, amr, ip, created_at, last_seen_at, idle_expires_at, expires_at, ended_at)
       select gen_random_uuid(), $1, '\\x00', now(), '{pwd}', '127.0.0.1', now() - interval '99 days', now(), now(), now() + n % 2 * interval '1 day' - interval '40 days', case when n % 2 = 0 then null else now() - interval '31 days' end
         from generate_series(1, 3000) n`,
      [person.id],
    );
    await app.app.get(Janitor, { strict: false }).tidy();
    const [{ count }] = await app.rows<{ count: number }>('select count(*)::int from sessions where user_id = $1', [
      person.id,
    ]);
    expect(count).toBe(2);
    await browser.refresh().expect(200);
  });
});
