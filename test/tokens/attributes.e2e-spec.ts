import { decodeJwt } from 'jose';

import { TestApp } from '../support/test-app.js';

describe('attributes of a user', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ TOKEN_CLAIMS: 'plan, regions' })));
  afterAll(() => app.stop());

  const tokenOf = ({ body }: { body: unknown }) => (body as { access_token: string }).access_token;

  it('become claims where the settings list them, org_id always, and a change holds at once', async () => {
    const admin = await app.givenAdmin();
    const { person, browser, accessToken } = await app.givenSignedIn();
    const set = (attributes: object) => admin.patch(`/admin/users/${person.id}`).send({ attributes });
    const { body } = await set({ org_id: 'acme', plan: 'gold', regions: ['eu', 'us'], secret_note: 'x' }).expect(200);
    expect(body).toMatchObject({ attributes: { org_id: 'acme', secret_note: 'x' } });
    await browser.send('get', '/auth/me').set('Authorization', `Bearer ${accessToken}`).expect(401);

    const refreshed = decodeJwt(tokenOf(await browser.refresh().expect(200)));
    expect(refreshed).toMatchObject({ org_id: 'acme', plan: 'gold', regions: ['eu', 'us'] });
    expect(refreshed).not.toHaveProperty('secret_note');
    const signedIn = tokenOf(await app.client().login(person).expect(200));
    expect(decodeJwt(signedIn)).toMatchObject({ org_id: 'acme', plan: 'gold' });
    await app.client().me(signedIn).expect(200);

    await set({}).expect(200);
    expect(decodeJwt(tokenOf(await browser.refresh().expect(200)))).not.toHaveProperty('org_id');
  });

  it.each([
    { org_id: 7 },
    { Org: 'x' },
    { __proto__x: 'x', 'a b': 'y' },
    { plan: { a: 1 } },
    { plan: null },
    { plan: 'x'.repeat(257) },
    { regions: Array.from({ length: 17 }, () => 'x') },
    Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, 'x'])),
    [],
    'x',
  ])('are not %j', async (attributes) => {
    const admin = await app.givenAdmin();
    const person = await app.givenPerson();
    await admin.patch(`/admin/users/${person.id}`).send({ attributes }).expect(422);
  });

  it('a token that grew too large is warned of', async () => {
    const admin = await app.givenAdmin();
    const permissions = Array.from(
      { length: 100 },
      (_, index) => `area-with-a-long-name-${index}:verb-with-a-long-name`,
    );
    await admin.post('/admin/roles').send({ name: 'large', permissions }).expect(201);
    const person = await app.givenPerson();
    await admin
      .patch(`/admin/users/${person.id}`)
      .send({ roles: ['large'] })
      .expect(200);
    expect(app.log).not.toContain('is larger than cookies');
    await app.client().login(person).expect(200);
    await app.client().login(person).expect(200);
    expect(app.log.match(/is larger than cookies/g)).toHaveLength(1);
  });
});
