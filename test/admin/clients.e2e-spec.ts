import { claimsOf, givenToken, newPair } from '../support/oauth-caller.js';
import { TestApp } from '../support/test-app.js';

type Admin = Awaited<ReturnType<TestApp['givenAdmin']>>;
const AUDIENCE = 'https://invoices.example.com';
let count = 0;
const newName = () => `service-${++count}`;

describe('clients', () => {
  let app: TestApp;
  let admin: Admin;
  beforeAll(async () => {
    app = await TestApp.start();
    admin = await app.givenAdmin();
  });
  afterAll(() => app.stop());

  const introspect = (id: string, secret: string) =>
    app.client().send('post', '/oauth/introspect').auth(id, secret).type('form').send({ token: 'x' });
  const make = async (body: object = {}) => {
    const answer = await admin
      .post('/admin/clients')
      .send({ name: newName(), ...body })
      .expect(201);
    return answer.body as { client_id: string; client_secret: string };
  };
  const auditOf = async (clientId: string) =>
    app.rows<{ type: string; details: Record<string, unknown>; actor_id: string }>(
      'select type, details, actor_id from audit_events where client_id = $1 order by id',
      [clientId],
    );

  it('are made, listed and disabled; the secret is shown once', async () => {
    const name = newName();
    const { body } = await admin.post('/admin/clients').send({ name }).expect(201);
    const { client_id, client_secret } = body as { client_id: string; client_secret: string };
    expect((await introspect(client_id, client_secret).expect(200)).body).toEqual({ active: false });
    const list = await admin.get('/admin/clients').expect(200);
    expect(JSON.stringify(list.body)).not.toContain(client_secret);
    expect(list.body.items[0]).toEqual({
      client_id,
      name,
      scopes: [],
      audiences: [],
      served_audiences: null,
      jwks: null,
      secrets: [{ created_at: expect.any(String), expires_at: null }],
      created_at: expect.any(String),
      disabled_at: null,
    });
    expect((await admin.post('/admin/clients').send({ name }).expect(409)).body).toMatchObject({
      code: 'client_taken',
    });
    await admin.delete(`/admin/clients/${client_id}`).expect(204);
    await introspect(client_id, client_secret).expect(401);
    await admin.delete(`/admin/clients/${client_id}`).expect(404);
    await admin.patch(`/admin/clients/${client_id}`).send({ scopes: [] }).expect(404);
    await admin.post(`/admin/clients/${client_id}/secrets`).send({}).expect(404);
    const events = await auditOf(client_id);
    expect(events.map(({ type, actor_id }) => [type, actor_id])).toEqual([
      ['client.created', admin.person.id],
      ['client.disabled', admin.person.id],
    ]);
  });

  it('have two secrets at most, the one before with an end', async () => {
    const { client_id: id, client_secret: first } = await make();
    const rotate = async (body: object) =>
      (await admin.post(`/admin/clients/${id}/secrets`).send(body).expect(201)).body as Record<string, string>;
    const statuses = async (...secrets: string[]) =>
      Promise.all(secrets.map(async (secret) => (await introspect(id, secret)).status));

    const { client_secret: second, previous_expires_at } = await rotate({});
    expect(Math.round((Date.parse(previous_expires_at) - app.now.getTime()) / 60_000)).toBe(24 * 60);
    expect(await statuses(first, second)).toEqual([200, 200]);
    const { client_secret: third } = await rotate({ overlap_hours: 1 });
    expect(await statuses(first, second, third)).toEqual([401, 200, 200]);
    app.advance(3601);
    admin = await app.givenAdmin();
    expect(await statuses(second, third)).toEqual([401, 200]);
    const { client_secret: fourth, previous_expires_at: none } = await rotate({ overlap_hours: 0 });
    expect([none, await statuses(third, fourth)]).toEqual([null, [401, 200]]);
    const { items } = (await admin.get('/admin/clients').expect(200)).body as { items: { secrets: object[] }[] };
    expect(items[0].secrets).toHaveLength(1);
    expect((await auditOf(id)).map(({ type }) => type)).toEqual([
      'client.created',
      'client.secret_added',
      'client.secret_added',
      'client.secret_added',
      'client.tokens_revoked',
    ]);
  });

  it('rotated by ten at once end with two secrets', async () => {
    const { client_id: id } = await make();
    await Promise.all(
      Array.from({ length: 10 }, () => admin.post(`/admin/clients/${id}/secrets`).send({}).expect(201)),
    );
    expect(await app.rows('select 1 from client_secrets where client_id = $1', [id])).toHaveLength(2);
  });

  it('get what they are given, and what is taken away counts no more', async () => {
    const made = await make({ scopes: ['b', 'a', 'b'], audiences: [AUDIENCE] });
    const authorization = `Basic ${Buffer.from(`${made.client_id}:${made.client_secret}`).toString('base64')}`;
    const client = { clientId: made.client_id, clientSecret: made.client_secret, authorization };
    expect(claimsOf(await givenToken(app, client)).scope).toBe('a b');
    const { body } = await admin
      .patch(`/admin/clients/${client.clientId}`)
      .send({ scopes: ['a'] })
      .expect(200);
    expect(body).toMatchObject({ scopes: ['a'], audiences: [AUDIENCE] });
    expect(body).not.toHaveProperty('client_secret');
    expect(claimsOf(await givenToken(app, client)).scope).toBe('a');
    const changed = (await auditOf(client.clientId)).find(({ type }) => type === 'client.changed');
    expect(changed!.details).toEqual({ from: { scopes: ['a', 'b'] }, to: { scopes: ['a'] } });
  });

  it('take no bad grants and no bad keys', async () => {
    const { jwks, privateKey } = newPair();
    const [key] = jwks.keys;
    const bad: [string, object][] = [
      ['scopes.0', { scopes: ['a b'] }],
      ['scopes.0', { scopes: ['"'] }],
      ['scopes.0', { scopes: [''] }],
      ['scopes', { scopes: Array.from({ length: 100 }, (_, index) => `${index}${'x'.repeat(100)}`) }],
      ['scopes', { scopes: 'a' }],
      ['audiences.0', { audiences: ['a b'] }],
      ['audiences.0', { audiences: ['urn:latchkey:password-change'] }],
      ['served_audiences.0', { served_audiences: ['URN:latchkey:second-factor'] }],
      ['jwks', { jwks: null }],
      ['jwks.keys', { jwks: { keys: [] } }],
      ['jwks.keys.0', { jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: '1' }] } }],
      ['jwks.keys.0', { jwks: { keys: [{ kty: 'oct', k: 'x'.repeat(64), alg: 'HS256' }] } }],
      ['jwks.keys.0', { jwks: { keys: [{ ...key, y: key.x }] } }],
      ['jwks.keys.0', { jwks: { keys: [{ ...key, alg: 'ES512' }] } }],
      ['jwks.keys.0', { jwks: { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] } }],
      ['jwks.keys', { jwks: { keys: [key, key] } }],
      ...[5, {}, true, null, 'verify'].map((key_ops): [string, object] => [
        'jwks.keys.0',
        { jwks: { keys: [{ ...key, key_ops }] } },
      ]),
      ...['a\0b', '\ud800', '', 5, null].map((kid): [string, object] => [
        'jwks.keys.0',
        { jwks: { keys: [{ ...key, kid }] } },
      ]),
      ['secret', { secret: 'x' }],
    ];
    for (const [field, body] of bad) {
      const answer = await admin.post('/admin/clients').send({ name: newName(), ...body });
      expect([field, answer.status, answer.body.errors?.[0]?.field]).toEqual([field, 422, field]);
      expect(answer.text).not.toContain((privateKey.export({ format: 'jwk' }) as { d: string }).d);
    }
    for (const junk of ['\0', '\ud800', '=']) {
      const { client_id } = await make({ jwks: { keys: [{ ...key, x: key.x + junk, key_ops: ['verify'], n: junk }] } });
      const [row] = await app.rows<{ jwks: object }>('select jwks from clients where id = $1', [client_id]);
      expect(row.jwks).toEqual(jwks);
    }
    const { client_id } = await make();
    for (const overlap_hours of [-1, 721, 1.5, '24'])
      await admin.post(`/admin/clients/${client_id}/secrets`).send({ overlap_hours }).expect(422);
    await admin.patch(`/admin/clients/${client_id}`).send({}).expect(422);
    await admin.patch(`/admin/clients/${client_id}`).send({ name: 'x' }).expect(422);
  });

  it('are given nothing that who administers them does not have, and taken over by nobody who has less', async () => {
    await admin
      .post('/admin/roles')
      .send({ name: 'helper', permissions: ['clients:write', 'a:read'] })
      .expect(201);
    const person = await app.givenPerson();
    await app.rows(`update users set roles = '{user,helper}' where id = $1`, [person.id]);
    const { body } = await app.client().login(person).expect(200);
    const as = (method: 'post' | 'patch' | 'delete', path: string, members: object) =>
      app
        .client()
        .send(method, path)
        .set('Authorization', `Bearer ${(body as { access_token: string }).access_token}`)
        .send(members);
    await as('post', '/admin/clients', { name: newName(), scopes: ['a:read'] }).expect(201);
    await as('post', '/admin/clients', { name: newName(), scopes: ['a:write'] }).expect(403);
    const { client_id } = await make({ scopes: ['a:write'] });
    await as('post', `/admin/clients/${client_id}/secrets`, {}).expect(403);
    await as('patch', `/admin/clients/${client_id}`, { scopes: [] }).expect(403);
    await as('delete', `/admin/clients/${client_id}`, {}).expect(403);
    const ofUsers = { audiences: [app.config.tokens.audience] };
    const { client_id: trusted } = await make(ofUsers);
    await as('post', '/admin/clients', { name: newName(), ...ofUsers }).expect(403);
    await as('post', `/admin/clients/${trusted}/secrets`, {}).expect(403);
    const { client_id: lesser } = await make({ scopes: ['a:read'], audiences: [AUDIENCE] });
    await as('patch', `/admin/clients/${lesser}`, ofUsers).expect(403);
    await as('delete', `/admin/clients/${lesser}`, {}).expect(204);
  });
});
