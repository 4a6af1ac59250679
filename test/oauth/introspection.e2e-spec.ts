import request from 'supertest';

import { TestApp } from '../support/test-app.js';

describe('POST /oauth/introspect', () => {
  let app: TestApp;
  let authorization: string;
  beforeAll(async () => {
    app = await TestApp.start();
    ({ authorization } = await app.givenClient());
  });
  afterAll(() => app.stop());

  const introspect = (body: string) =>
    request(app.url).post('/oauth/introspect').set('Authorization', authorization).type('form').send(body);

  it('tells the claims of a token that counts, and nothing of any other', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const { body, headers } = await introspect(`token=${accessToken}&token_type_hint=access_token`).expect(200);
    const claims = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString());
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...claims });
    expect(body.sub).toBe(person.id);
    expect(headers['cache-control']).toBe('no-store');
    await browser.logout().expect(200);
    for (const token of [accessToken, 'x', `${accessToken}=`, 'a.b.c', 'x'.repeat(8000)])
      expect((await introspect(`token=${token}`).expect(200)).body).toEqual({ active: false });
  });

  it('knows a disabled account, a changed role and a password that must be changed', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    await app.revoke({ tokensOf: person.id }, 'roles_changed');
    expect((await introspect(`token=${accessToken}`).expect(200)).body).toEqual({ active: false });
    const { body } = await app.client().login(person).expect(200);
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    expect((await introspect(`token=${body.access_token}`).expect(200)).body).toEqual({ active: false });
    await app.rows('update users set is_active = true, must_change_password = true where id = $1', [person.id]);
    const halfway = await app.client().login(person).expect(200);
    expect((await introspect(`token=${halfway.body.access_token}`).expect(200)).body).toEqual({ active: false });
  });

  it('answers mistakes in OAuth’s own shape', async () => {
    const refused = await request(app.url).post('/oauth/introspect').type('form').send('token=x').expect(401);
    expect(refused.body).toEqual({ error: 'invalid_client', error_description: expect.any(String) });
    expect(refused.headers['www-authenticate']).toMatch(/^Basic /);
    for (const body of ['', 'token=', 'token=a&token=b', 'token[]=a', 'token=a&other=b', 'x'.repeat(300)]) {
      const answer = await introspect(body);
      expect([body, answer.status, answer.body.error]).toEqual([body, 400, 'invalid_request']);
    }
    const json = await request(app.url)
      .post('/oauth/introspect')
      .set('Authorization', authorization)
      .send({ token: [] });
    expect([json.status, json.body.error]).toEqual([400, 'invalid_request']);
    await request(app.url).get('/oauth/introspect?token=x').set('Authorization', authorization).expect(405);
  });
});
