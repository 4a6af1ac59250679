import { randomBytes } from 'node:crypto';

import { TestApp } from '../support/test-app.js';

type Admin = Awaited<ReturnType<TestApp['givenAdmin']>>;

const newName = () => `r${randomBytes(6).toString('hex')}`;
const tokenOf = ({ body }: { body: unknown }) => (body as { access_token: string }).access_token;

describe('roles', () => {
  let app: TestApp;
  let admin: Admin;
  beforeAll(async () => {
    app = await TestApp.start();
    admin = await app.givenAdmin();
  });
  afterAll(() => app.stop());

  const make = async (permissions: string[]) => {
    const name = newName();
    await admin.post('/admin/roles').send({ name, permissions }).expect(201);
    return name;
  };

  it('are listed with what the service asks for', async () => {
    const { body } = await admin.get('/admin/roles').expect(200);
    expect(body).toMatchObject({ next_cursor: null, known_permissions: { 'users:read': 'See accounts.' } });
    const { items } = body as { items: { name: string; built_in: boolean; permissions: string[] }[] };
    expect(items.filter(({ built_in }) => built_in).map(({ name }) => name)).toEqual(['admin', 'user']);
    const { known_permissions } = body as { known_permissions: object };
    expect(items.find(({ name }) => name === 'admin')!.permissions.toSorted()).toEqual(
      Object.keys(known_permissions).toSorted(),
    );
  });

  it('carry permissions of their own, and of other services only for those who have them', async () => {
    const name = await make(['users:read']);
    expect((await admin.post('/admin/roles').send({ name, permissions: [] }).expect(409)).body).toMatchObject({
      code: 'role_taken',
    });
    const foreign = { name: newName(), permissions: ['articles:write'] };
    await admin.post('/admin/roles').send(foreign).expect(201); // an administrator hands out what the service does not know
  });

  it('take effect at once: what a role does not allow any more is refused to tokens of before', async () => {
    const name = await make(['users:read']);
    const { person, browser } = await app.givenSignedIn();
    await admin
      .patch(`/admin/users/${person.id}`)
      .send({ roles: ['user', name] })
      .expect(200);
    const token = tokenOf(await browser.refresh().expect(200));
    const list = (bearer: string) =>
      browser.send('get', '/admin/users?limit=1').set('Authorization', `Bearer ${bearer}`);
    await list(token).expect(200);
    await admin.patch(`/admin/roles/${name}`).send({ permissions: [] }).expect(200);
    expect((await list(token).expect(401)).body).toMatchObject({ code: 'token_revoked' });
    expect((await list(tokenOf(await browser.refresh().expect(200))).expect(403)).body).toMatchObject({
      code: 'forbidden',
    });
  });

  it('are taken from whoever has them when they are deleted', async () => {
    const name = await make(['stats:read']);
    const { person, browser } = await app.givenSignedIn();
    await admin
      .patch(`/admin/users/${person.id}`)
      .send({ roles: ['user', name] })
      .expect(200);
    const token = tokenOf(await browser.refresh().expect(200));
    await admin.delete(`/admin/roles/${name}`).expect(204);
    await browser.send('get', '/admin/stats').set('Authorization', `Bearer ${token}`).expect(401);
    const { body } = await admin.get(`/admin/users/${person.id}`).expect(200);
    expect(body).toMatchObject({ roles: ['user'] });
    await admin.delete(`/admin/roles/${name}`).expect(404);
  });

  it('that come with the service stay', async () => {
    for (const attempt of [
      admin.delete('/admin/roles/admin'),
      admin.delete('/admin/roles/user'),
      admin.patch('/admin/roles/admin').send({ permissions: [] }),
    ])
      expect((await attempt.expect(409)).body).toMatchObject({ code: 'role_built_in' });
  });

  it.each([
    { name: 'Admin', permissions: [] },
    { name: 'a b', permissions: [] },
    { name: '', permissions: [] },
    { name: 'x'.repeat(65), permissions: [] },
    { name: 'ok', permissions: ['users'] },
    { name: 'ok', permissions: ['users:*'] },
    { name: 'ok', permissions: ['Users:Read'] },
    { name: 'ok', permissions: 'users:read' },
    { name: 'ok', permissions: Array.from({ length: 101 }, (_, index) => `a:b${index}`) },
    { name: 'ok', permissions: [], built_in: true },
    { name: 'ok' },
  ])('refuses %j', async (body) => void (await admin.post('/admin/roles').send(body).expect(422)));

  it('are audited', async () => {
    const name = await make(['stats:read']);
    await admin
      .patch(`/admin/roles/${name}`)
      .send({ permissions: ['audit:read', 'audit:read'] })
      .expect(200);
    await admin.delete(`/admin/roles/${name}`).expect(204);
    const rows = await app.rows<{ type: string; actor_id: string; details: object }>(
      "select type, actor_id, details from audit_events where details->>'name' = $1 order by id",
      [name],
    );
    expect(rows).toEqual([
      { type: 'role.created', actor_id: admin.person.id, details: { name, permissions: ['stats:read'] } },
      { type: 'role.changed', actor_id: admin.person.id, details: { name, from: ['stats:read'], to: ['audit:read'] } },
      { type: 'role.deleted', actor_id: admin.person.id, details: { name, permissions: ['audit:read'], users: 0 } },
    ]);
  });
});

describe('stats', () => {
  it('count what there is', async () => {
    const app = await TestApp.start();
    try {
      const admin = await app.givenAdmin();
      await app.givenTotp();
      await app.client().login({ username: admin.person.username, password: 'not the password' }).expect(401);
      const { body } = await admin.get('/admin/stats').expect(200);
      expect(body).toEqual({
        users: { total: 2, active: 2, with_second_factor: 1, administrators: 1 },
        sessions: { live: 4, seen_last_day: 4 },
        last_day: { sign_ins: 2, failed_sign_ins: 1, locks: 0, registrations: 2 },
      });
    } finally {
      await app.stop();
    }
  });
});
