import request from 'supertest';

import { PASSWORD, TestApp } from '../support/test-app.js';

const ROUNDS = 25;

/** bench/races.mjs runs the same for a thousand rounds. */
describe('two replicas', () => {
  let app: TestApp;
  let replica: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100' });
    replica = await app.replica({ LOCKOUT_ATTEMPTS: '100' });
  });
  afterAll(async () => {
    await replica.stop();
    await app.stop();
  });

  type Tokens = { access_token: string; refresh_token: string };
  const bearer = (at: TestApp, path: string, token: string) =>
    request(at.url).post(path).set('Authorization', `Bearer ${token}`).set('X-Auth-Transport', 'body');

  const ends: [string, (tokens: Tokens, other: Tokens, userId: string) => PromiseLike<{ status: number }>][] = [
    ['a sign-out', ({ refresh_token }) => bearer(app, '/auth/logout', 'x').send({ refresh_token })],
    ['a sign-out everywhere', ({ access_token }) => bearer(app, '/auth/logout-all', access_token)],
    ['an end of the other sessions', (_, other) => bearer(app, '/auth/sessions/revoke-others', other.access_token)],
    [
      'a change of the password elsewhere',
      (_, other) =>
        bearer(app, '/auth/change-password', other.access_token).send({
          current_password: PASSWORD,
          new_password: `${PASSWORD}-2`,
        }),
    ],
    [
      'a disabling of the account',
      async (_tokens, _other, userId) => {
        await app.database.transaction(async (tx) => {
          await tx.query('update users set is_active = false where id = $1', [userId]);
        });
        await app.revoke({ sessionsOf: userId }, 'account_disabled');
        return { status: 200 };
      },
    ],
  ];

  it.each(ends)('let no refresh outlive %s', async (_name, end) => {
    for (let round = 0; round < ROUNDS; round++) {
      const person = await app.givenPerson();
      const { body: tokens } = await app.client().login(person).expect(200);
      const { body: other } = await app.client().login(person).expect(200);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const [refreshed, ended] = await Promise.all([
        replica.client().refresh(tokens.refresh_token),
        new Promise((resolve) => setTimeout(resolve, round % 5)).then(() => end(tokens, other, person.id)),
      ]);
      expect(ended.status).toBe(200);
      expect([200, 401]).toContain(refreshed.status);
      // After the acknowledged end nothing goes on, at either replica, whoever came first.
      const last = refreshed.status === 200 ? refreshed.body : tokens;
      for (const at of [app, replica]) {
        expect((await at.client().me(last.access_token)).status).toBe(401);
        expect((await at.client().refresh(last.refresh_token)).status).toBe(401);
      }
    }
  });

  it('give twenty refreshes with one token one successor', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { body } = await app
        .client()
        .login(await app.givenPerson())
        .expect(200);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? app : replica).client().refresh(body.refresh_token)),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(new Set(answers.map((answer) => answer.body.refresh_token)).size).toBe(1);
    }
  });
});
