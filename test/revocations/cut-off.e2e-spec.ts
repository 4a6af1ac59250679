import { TestApp } from '../support/test-app.js';

interface Claims {
  iat: number;
  exp: number;
  roles: string[];
  permissions: string[];
}

describe('a cut-off of a user’s tokens', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const claims = (token: string): Claims => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  /** As an administrator’s change of roles does it: both in one transaction. */
  const changeRoles = (userId: string, roles: string[]) =>
    app.database.transaction(async (tx) => {
      await tx.query('update users set roles = $2 where id = $1', [userId, roles]);
      const { Revoker } = await import('../../src/revocations/revoker.js');
      const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
      await app.app
        .get(Revoker, { strict: false })
        .revoke(tx, { tokensOf: userId }, { reason: 'roles_changed', actorId: null }, source);
    });

  it('refuses those from before, and the next refresh, in the same second, tells what is true now', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    await changeRoles(person.id, ['user', 'admin']);
    expect((await app.client().me(accessToken).expect(401)).body.code).toBe('token_revoked');
    const { body } = await browser.refresh().expect(200);
    expect(claims(body.access_token).roles).toEqual(['user', 'admin']);
    await app.client().me(body.access_token).expect(200);
  });

  it('never refuses a token that was made after it, however often and fast it moves', async () => {
    const { person, browser } = await app.givenSignedIn();
    let before = '';
    for (let time = 0; time < 4; time++) {
      await changeRoles(person.id, ['user']);
      await changeRoles(person.id, ['user']); // nothing was made in between: it need not move
      if (before) await app.client().me(before).expect(401);
      const { body } = await browser.refresh().expect(200);
      await app.client().me(body.access_token).expect(200);
      before = body.access_token;
    }
    const { iat, exp } = claims(before);
    expect(exp - iat).toBe(900);
    expect(iat - Date.now() / 1000).toBeLessThan(5);
  });

  it('covers tokens of a replica whose clock runs ahead', async () => {
    const replica = await app.replica();
    replica.advance(3);
    try {
      const { person } = await app.givenSignedIn();
      const { body } = await replica.client().login(person).expect(200);
      await changeRoles(person.id, ['admin']);
      expect((await replica.client().me(body.access_token).expect(401)).body.code).toBe('token_revoked');
      const next = await app.client().refresh(body.refresh_token).expect(200);
      expect(claims(next.body.access_token).roles).toEqual(['admin']);
      await app.client().me(next.body.access_token).expect(200);
    } finally {
      await replica.stop();
    }
  });

  it('meets a refresh that has read the user already: it looks again', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const { sid } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString());
    // The refresh waits at the session’s row, with the user of before in its snapshot.
    const [answer] = await app.whileLocked(
      `with moved as (
         update users set roles = '{admin}', cut_off_at = now(), tokens_valid_from = date_trunc('second', now()) + interval '1 second'
          where id = $1 returning tokens_valid_from
       )
       update sessions set tokens_valid_from = moved.tokens_valid_from from moved where id = $2`,
      [person.id, sid],
      1,
      () => [browser.refresh().then((response) => response)],
    );
    expect(answer.status).toBe(200);
    expect(claims(answer.body.access_token).roles).toEqual(['admin']);
    await app.client().me(answer.body.access_token).expect(200);
  });

  it('meets a retry within the grace as well', async () => {
    const person = await app.givenPerson();
    const { body } = await app.client().login(person).expect(200);
    const first = await app.client().refresh(body.refresh_token).expect(200);
    await changeRoles(person.id, ['admin']);
    const retry = await app.client().refresh(body.refresh_token).expect(200);
    expect(retry.body.refresh_token).toBe(first.body.refresh_token);
    expect(claims(retry.body.access_token).roles).toEqual(['admin']);
    await app.client().me(first.body.access_token).expect(401);
    await app.client().me(retry.body.access_token).expect(200);
  });
});
