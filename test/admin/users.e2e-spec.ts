import { randomBytes } from 'node:crypto';

import { AdminUsersService } from '../../src/admin/users.service.js';
import { PASSWORD, TestApp } from '../support/test-app.js';

type Admin = Awaited<ReturnType<TestApp['givenAdmin']>>;

interface View {
  id: string;
  username: string;
  roles: string[];
  is_active: boolean;
}

const newName = () => `n${randomBytes(6).toString('hex')}`;
const bodyOf = <T>(answer: { body: unknown }) => answer.body as T;

describe('the administration of accounts', () => {
  let app: TestApp;
  let admin: Admin;
  beforeAll(async () => {
    app = await TestApp.start();
    admin = await app.givenAdmin();
  });
  afterAll(() => app.stop());

  /** Somebody who administers accounts, and is no administrator. */
  async function givenHelper() {
    const name = newName();
    await admin
      .post('/admin/roles')
      .send({ name, permissions: ['users:read', 'users:write', 'roles:write'] })
      .expect(201);
    const person = await app.givenPerson();
    await admin
      .patch(`/admin/users/${person.id}`)
      .send({ roles: ['user', name] })
      .expect(200);
    const { access_token } = bodyOf<{ access_token: string }>(await app.client().login(person).expect(200));
    const send = (method: 'post' | 'patch' | 'delete', path: string) =>
      app.client().send(method, path).set('Authorization', `Bearer ${access_token}`);
    return { person, role: name, send };
  }

  describe('an invitation', () => {
    const invite = async (body: object = {}) => {
      const username = newName();
      const answer = await admin
        .post('/admin/users')
        .send({ username, email: `${username}@example.com`, ...body })
        .expect(201);
      return {
        username,
        ...bodyOf<{ user: View; link: { token: string; purpose: string; expires_at: string } }>(answer),
      };
    };
    const choose = (token: string, new_password: string) =>
      app.client().send('post', '/auth/reset-password').send({ token, new_password });

    it('makes an account that nobody can sign in to, until its owner chose a password', async () => {
      const { username, user, link } = await invite();
      expect(user).toMatchObject({ username, roles: ['user'], is_active: true });
      expect(link.purpose).toBe('invite');
      await app.client().login({ username, password: PASSWORD }).expect(401);
      expect((await choose(link.token, PASSWORD).expect(200)).body).toEqual({ revoked: 0 });
      await app.client().login({ username, password: PASSWORD }).expect(200);
      expect(await app.auditTypes(user.id)).toEqual(
        expect.arrayContaining(['user.created', 'user.link_issued', 'password.reset', 'login.succeeded']),
      );
    });

    it('works once, for its time, and not for a weak password', async () => {
      const { username, link } = await invite();
      expect((await choose(link.token, 'short').expect(422)).body).toMatchObject({ code: 'weak_password' });
      expect((await choose(link.token, `${username}-2026`).expect(422)).body).toMatchObject({ code: 'weak_password' });
      await choose(link.token, PASSWORD).expect(200);
      expect((await choose(link.token, 'another-long-password').expect(401)).body).toMatchObject({
        code: 'token_invalid',
      });
      const late = await invite();
      await app.rows("update one_time_links set expires_at = now() - interval '1 second' where user_id = $1", [
        late.user.id,
      ]);
      await choose(late.link.token, PASSWORD).expect(401);
    });

    it('is replaced by a newer link', async () => {
      const { user, link } = await invite();
      const next = bodyOf<{ token: string; purpose: string }>(
        await admin.post(`/admin/users/${user.id}/link`).expect(200),
      );
      expect(next.purpose).toBe('reset');
      await choose(link.token, PASSWORD).expect(401);
      await choose(next.token, PASSWORD).expect(200);
    });

    it('succeeds once, for twenty at once', async () => {
      const { user, link } = await invite();
      const answers = await app.whileLocked(
        'select from one_time_links where user_id = $1 for update',
        [user.id],
        5,
        () => Array.from({ length: 6 }, () => choose(link.token, PASSWORD)),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401, 401]);
    });

    it('is stored as a hash, and never logged', async () => {
      const { link } = await invite();
      const [{ text }] = await app.rows<{ text: string }>(
        "select string_agg(l::text, '|') as text from one_time_links l",
      );
      expect(text).not.toContain(link.token);
      expect(text).not.toContain(Buffer.from(link.token, 'base64url').toString('hex'));
      expect(app.log).not.toContain(link.token);
    });

    it('does not skip a second factor, and ends all sessions', async () => {
      const { person, browser } = await app.givenTotp();
      const { token } = bodyOf<{ token: string }>(await admin.post(`/admin/users/${person.id}/link`).expect(200));
      await choose(token, 'another-long-password').expect(200);
      await browser.refresh().expect(401);
      const { body } = await app
        .client()
        .login({ ...person, password: 'another-long-password' })
        .expect(200);
      expect(body).toHaveProperty('mfa_token');
    });

    it.each([
      { roles: ['nobody-made-this'] },
      { roles: 'admin' },
      { roles: ['ADMIN'] },
      { username: 'a b' },
      { email: 'x' },
      { password: PASSWORD },
      { is_active: true },
    ])('refuses %j', async (body) => {
      const username = newName();
      await admin
        .post('/admin/users')
        .send({ username, email: `${username}@example.com`, ...body })
        .expect(422);
    });

    it('refuses a name that is taken, in any spelling', async () => {
      const person = await app.givenPerson();
      const taken = await admin
        .post('/admin/users')
        .send({ username: person.username.toUpperCase(), email: 'e@example.com' })
        .expect(409);
      expect(taken.body).toMatchObject({ code: 'username_taken' });
    });
  });

  describe('a list', () => {
    it('pages through all accounts, newest first, each once', async () => {
      for (let count = 0; count < 5; count++) await app.givenPerson();
      const seen: string[] = [];
      let cursor = '';
      do {
        const path = `/admin/users?limit=3${cursor && `&cursor=${cursor}`}`;
        const { items, next_cursor } = bodyOf<{ items: View[]; next_cursor: string | null }>(
          await admin.get(path).expect(200),
        );
        seen.push(...items.map(({ id }) => id));
        cursor = next_cursor ?? '';
      } while (cursor);
      const [{ count }] = await app.rows<{ count: number }>('select count(*)::int as count from users');
      expect(seen).toHaveLength(count);
      expect(seen).toEqual(seen.toSorted().toReversed());
    });

    it('finds by how a name or address begins, by role and by state', async () => {
      const person = await app.givenPerson();
      const find = async (query: string) =>
        bodyOf<{ items: View[] }>(await admin.get(`/admin/users?${query}`).expect(200)).items;
      expect((await find(`search=${person.username.slice(0, 9).toUpperCase()}`)).map(({ id }) => id)).toEqual([
        person.id,
      ]);
      expect((await find(`search=${encodeURIComponent(person.email)}`)).map(({ id }) => id)).toEqual([person.id]);
      expect((await find('role=admin')).map(({ id }) => id)).toContain(admin.person.id);
      expect((await find('role=admin')).map(({ id }) => id)).not.toContain(person.id);
      await admin.patch(`/admin/users/${person.id}`).send({ is_active: false }).expect(200);
      expect((await find('is_active=false')).map(({ id }) => id)).toContain(person.id);
      expect(await find('search=%25')).toEqual([]);
      expect(await find('search=_')).toEqual([]);
    });

    it.each(['limit=0', 'limit=201', 'cursor=x', 'search=', 'role=A', 'is_active=1', 'is_active=', 'order=id'])(
      'refuses %s',
      async (query) => void (await admin.get(`/admin/users?${query}`).expect(422)),
    );
  });

  describe('a change', () => {
    it('of a role is refused to tokens of before, and a refresh brings what is true now', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      const me = (token: string) => browser.send('get', '/auth/me').set('Authorization', `Bearer ${token}`);
      await me(accessToken).expect(200);
      await admin
        .patch(`/admin/users/${person.id}`)
        .send({ roles: ['user', 'admin'] })
        .expect(200);
      expect((await me(accessToken).expect(401)).body).toMatchObject({ code: 'token_revoked' });
      const { access_token } = bodyOf<{ access_token: string }>(await browser.refresh().expect(200));
      expect(bodyOf<View>(await me(access_token).expect(200)).roles).toEqual(['admin', 'user']);
    });

    it('that changes nothing revokes nothing', async () => {
      const { person, browser, accessToken } = await app.givenSignedIn();
      await admin
        .patch(`/admin/users/${person.id}`)
        .send({ roles: ['user'], is_active: true })
        .expect(200);
      await browser.send('get', '/auth/me').set('Authorization', `Bearer ${accessToken}`).expect(200);
      expect(await app.auditTypes(person.id)).not.toContain('user.changed');
    });

    it('to disabled ends the sessions, and an account that is in use again signs in again', async () => {
      const { person, browser } = await app.givenSignedIn();
      await admin.patch(`/admin/users/${person.id}`).send({ is_active: false }).expect(200);
      await browser.refresh().expect(401);
      expect((await app.client().login(person).expect(403)).body).toMatchObject({ code: 'account_disabled' });
      await admin.patch(`/admin/users/${person.id}`).send({ is_active: true }).expect(200);
      await browser.refresh().expect(401);
      await app.client().login(person).expect(200);
    });

    it('to must-change leaves that alone open', async () => {
      const { person, browser } = await app.givenSignedIn();
      await admin.patch(`/admin/users/${person.id}`).send({ must_change_password: true }).expect(200);
      const { access_token } = bodyOf<{ access_token: string }>(await browser.refresh().expect(200));
      const sessions = await browser
        .send('get', '/auth/sessions')
        .set('Authorization', `Bearer ${access_token}`)
        .expect(403);
      expect(sessions.body).toMatchObject({ code: 'password_change_required' });
    });

    it('is audited with what was and what is', async () => {
      const person = await app.givenPerson();
      await admin.patch(`/admin/users/${person.id}`).send({ roles: [], must_change_password: true }).expect(200);
      const [row] = await app.rows<object>(
        "select actor_id, session_id is not null as has_session, details from audit_events where user_id = $1 and type = 'user.changed'",
        [person.id],
      );
      expect(row).toEqual({
        actor_id: admin.person.id,
        has_session: true,
        details: { roles: { from: ['user'], to: [] }, must_change_password: { from: false, to: true } },
      });
    });

    it.each([
      {},
      { roles: ['nobody-made-this'] },
      { roles: null },
      { is_active: 'false' },
      { username: 'other' },
      { password: 'correct-horse-battery' },
      { permissions: ['users:write'] },
    ])('refuses %j', async (body) => {
      const person = await app.givenPerson();
      await admin.patch(`/admin/users/${person.id}`).send(body).expect(422);
    });
  });

  it('deletes an account for good: no row but the audit log’s, and the name is free again', async () => {
    const { person, browser, app: authenticator } = await app.givenTotp();
    expect(authenticator.secret).toBeDefined();
    await admin.delete(`/admin/users/${person.id}`).expect(204);
    await browser.refresh().expect(401);
    for (const table of [
      'sessions',
      'user_devices',
      'totp_authenticators',
      'recovery_codes',
      'half_way_sign_ins',
      'one_time_links',
    ])
      expect([table, await app.rows(`select 1 from ${table} where user_id = $1`, [person.id])]).toEqual([table, []]);
    expect((await app.auditTypes(person.id)).at(-1)).toBe('user.deleted');
    const [{ text }] = await app.rows<{ text: string }>(
      "select string_agg(e::text, '|') as text from audit_events e where user_id = $1",
      [person.id],
    );
    expect(text).not.toContain(person.username);
    await admin.delete(`/admin/users/${person.id}`).expect(404);
    await app.client().register(person).expect(201);
  });

  it('shows a user’s sessions, and ends them', async () => {
    const { person, browser } = await app.givenSignedIn();
    const { items } = bodyOf<{ items: { current: boolean }[] }>(
      await admin.get(`/admin/users/${person.id}/sessions`).expect(200),
    );
    expect(items.map(({ current }) => current)).toEqual([false, false]);
    expect((await admin.post(`/admin/users/${person.id}/revoke-sessions`).expect(200)).body).toEqual({ revoked: 2 });
    await browser.refresh().expect(401);
  });

  it('knows nothing of ids that nobody has', async () => {
    const path = '/admin/users/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10';
    await admin.get(path).expect(404);
    await admin.patch(path).send({ is_active: true }).expect(404);
    await admin.delete(path).expect(404);
    await admin.get(`${path}/sessions`).expect(404);
    for (const action of ['unlock', 'reset-factors', 'revoke-sessions', 'link'])
      await admin.post(`${path}/${action}`).expect(404);
    for (const id of ['me', '1', '../roles', '%00', "'"]) {
      const { status } = await admin.get(`/admin/users/${encodeURIComponent(id)}`);
      expect([id, [404, 422, 400].includes(status)]).toEqual([id, true]);
    }
  });

  describe('nobody rules over what they do not have', () => {
    it('a helper makes no administrator, and takes none over', async () => {
      const { person, role, send } = await givenHelper();
      const target = await app.givenPerson();
      await send('patch', `/admin/users/${target.id}`).send({ must_change_password: true }).expect(200);
      const path = `/admin/users/${admin.person.id}`;
      const refused = [
        send('patch', `/admin/users/${target.id}`).send({ roles: ['admin'] }),
        send('patch', `/admin/users/${person.id}`).send({ roles: ['user', role, 'admin'] }),
        send('post', '/admin/users').send({ username: newName(), email: 'h@example.com', roles: ['admin'] }),
        send('patch', path).send({ is_active: false }),
        send('delete', path),
        send('post', `${path}/link`),
        send('post', `${path}/reset-factors`),
        send('post', '/admin/roles').send({ name: newName(), permissions: ['audit:read'] }),
        send('patch', '/admin/roles/user').send({ permissions: ['audit:read'] }),
        send('patch', '/admin/roles/admin').send({ permissions: [] }),
      ];
      for (const request of refused) expect((await request.expect(403)).body).toMatchObject({ code: 'forbidden' });
    });
  });

  it('asks for a recent proof', async () => {
    const person = await app.givenPerson();
    const old = await app.givenAdmin();
    await app.rows("update sessions set auth_time = auth_time - interval '16 minutes' where user_id = $1", [
      old.person.id,
    ]);
    const { access_token } = bodyOf<{ access_token: string }>(await app.client().refresh(old.refreshToken).expect(200));
    const send = (method: 'post' | 'patch' | 'delete', path: string, body: object = {}) =>
      app.client().send(method, path).set('Authorization', `Bearer ${access_token}`).send(body);
    const path = `/admin/users/${person.id}`;
    for (const attempt of [
      send('patch', path, { is_active: false }),
      send('delete', path),
      send('post', `${path}/link`),
      send('post', `${path}/reset-factors`),
      send('post', '/admin/users', { username: newName(), email: 'p@example.com' }),
      send('post', '/admin/roles', { name: newName(), permissions: [] }),
      send('post', '/admin/clients', { name: newName() }),
    ])
      expect((await attempt.expect(403)).body).toMatchObject({ code: 'step_up_required', methods: ['password'] });
    await send('post', `${path}/unlock`).expect(200);
  });
});

describe('the last administrator', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const administrators = async () =>
    (await app.rows("select 1 from users where is_active and roles @> '{admin}'")).length;

  it('cannot be taken away, by whatever way', async () => {
    const admin = await app.givenAdmin();
    const path = `/admin/users/${admin.person.id}`;
    for (const attempt of [
      admin.patch(path).send({ roles: ['user'] }),
      admin.patch(path).send({ is_active: false }),
      admin.delete(path),
    ])
      expect((await attempt.expect(409)).body).toMatchObject({ code: 'last_administrator' });
    expect(await administrators()).toBe(1);
    await admin.get('/admin/users').expect(200); // and nothing was revoked on the way
    const other = await app.givenAdmin();
    await other
      .patch(path)
      .send({ roles: ['user'] })
      .expect(200);
    await app.rows("update users set roles = '{user}' where id = $1", [other.person.id]);
  });

  it('survives two who take each other away at once, on two replicas, a thousand times', async () => {
    const replica = await app.replica();
    try {
      const [ada, bob] = [(await app.givenAdmin()).person.id, (await app.givenAdmin()).person.id];
      const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
      const as = (userId: string) => ({ userId, sessionId: null, roles: [], permissions: 'all' as const });
      const services = [app, replica].map((one) => one.app.get(AdminUsersService, { strict: false }));
      const ways = [{ roles: ['user'] }, { is_active: false }, { roles: [] }];
      const outcomes = { done: 0, refused: 0 };
      for (let round = 0; round < 1000; round++) {
        const settled = await Promise.allSettled([
          services[0].change(bob, ways[round % 3], as(ada), source),
          services[1].change(ada, ways[(round + 1) % 3], as(bob), source),
        ]);
        for (const outcome of settled) {
          if (outcome.status === 'fulfilled') outcomes.done++;
          else {
            expect(outcome.reason).toMatchObject({ type: { code: 'last_administrator' } });
            outcomes.refused++;
          }
        }
        if ((await administrators()) !== 1) throw new Error(`round ${round}: no administrator is left`);
        await app.rows("update users set roles = '{user,admin}', is_active = true where id = any($1)", [[ada, bob]]);
      }
      expect(outcomes).toEqual({ done: 1000, refused: 1000 });
    } finally {
      await replica.stop();
    }
  });
});
