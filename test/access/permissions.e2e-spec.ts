import { TestApp } from '../support/test-app.js';

describe('what an access token allows', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('is what the database says at each request, not what it said when the token was made', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const unlock = () =>
      app.client().send('post', `/admin/users/${person.id}/unlock`).set('Authorization', `Bearer ${accessToken}`);
    const setRoles = (roles: string) => app.rows('update users set roles = $2 where id = $1', [person.id, roles]);

    await unlock().expect(403);
    await setRoles('{user,admin}');
    await unlock().expect(200);
    await setRoles('{user}');
    expect((await unlock().expect(403)).body.code).toBe('forbidden');

    await app.rows(`insert into roles (name, permissions) values ('helper', '{users:write}')`);
    await setRoles('{user,helper}');
    await unlock().expect(200);
    await app.rows(`update roles set permissions = '{users:read}' where name = 'helper'`);
    await unlock().expect(403);
  });
});
