import { TestApp } from '../support/test-app.js';

const LOCK_SESSIONS_OF = 'select 1 from sessions where user_id = $1 for update';

describe('POST /auth/refresh', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('gives a new access token and a new refresh token each time', async () => {
    const { browser } = await app.givenSignedIn();
    const tokens = new Set([browser.cookie('refresh_token')]);
    for (let round = 0; round < 3; round++) {
      const { body } = await browser.refresh().expect(200);
      expect(body).toEqual({ access_token: expect.any(String), token_type: 'bearer', expires_in: 900 });
      tokens.add(browser.cookie('refresh_token'));
      await app.client().me(body.access_token).expect(200);
    }
    expect(tokens.size).toBe(4);
  });

  it('needs one statement: the session row moves on, and no row is added', async () => {
    const { browser, person } = await app.givenSignedIn();
    const before = await app.auditTypes(person.id);
    await browser.refresh().expect(200);
    const [session] = await app.rows<{ counter: number; parent_counter: number }>(
      'select counter, parent_counter from sessions where user_id = $1 and counter > 0',
      [person.id],
    );
    expect(session).toEqual({ counter: 1, parent_counter: 0 });
    expect(await app.auditTypes(person.id)).toEqual(before);
  });

  it('carries the refresh token in the body for clients without cookies', async () => {
    const person = await app.givenPerson();
    const { body: signedIn, headers } = await app.client().login(person).expect(200);
    expect(headers['set-cookie']).toBeUndefined();
    const { body, headers: refreshed } = await app.client().refresh(signedIn.refresh_token).expect(200);
    expect(body.refresh_token).not.toBe(signedIn.refresh_token);
    expect(refreshed['set-cookie']).toBeUndefined();
  });

  it('reads no cookie where the transport is the body', async () => {
    const { browser } = await app.givenSignedIn();
    const { body } = await browser.refresh().set('X-Auth-Transport', 'body').expect(401);
    expect(body.code).toBe('token_missing');
  });

  it('never moves auth_time', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    app.advance(120);
    const { body } = await browser.refresh().expect(200);
    const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    expect(claims(body.access_token).auth_time).toBe(claims(accessToken).auth_time);
    expect(claims(body.access_token).iat).toBeGreaterThanOrEqual(claims(accessToken).iat + 120);
  });

  describe('honest users', () => {
    it('ten parallel refreshes with one token, all held at the row, converge on one successor', async () => {
      const { browser, person } = await app.givenSignedIn();
      const tabs = Array.from({ length: 10 }, () => browser.copy());
      const answers = await app.whileLocked(LOCK_SESSIONS_OF, [person.id], 10, () =>
        tabs.map(async (tab) => tab.refresh()),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect(new Set(tabs.map((tab) => tab.cookie('refresh_token'))).size).toBe(1);
      for (const tab of tabs.slice(0, 2)) await tab.refresh().expect(200);
    });

    it('a refresh whose answer was thrown away and that is retried at once goes on', async () => {
      const { browser } = await app.givenSignedIn();
      const lost = browser.copy();
      await lost.refresh().expect(200);
      await browser.refresh().expect(200);
      expect(browser.cookie('refresh_token')).toBe(lost.cookie('refresh_token'));
      await browser.refresh().expect(200);
    });

    it('a refresh whose answer was lost and that is retried an hour later on the same browser goes on', async () => {
      const { browser, person } = await app.givenSignedIn();
      await browser.copy().refresh().expect(200);
      app.advance(3600);
      await browser.refresh().expect(200);
      await browser.refresh().expect(200);
      expect(await app.auditTypes(person.id)).toContain('session.refresh_recovered');
    });

    it('the lost answer heals for a client without cookies by its device id and kind of agent', async () => {
      const person = await app.givenPerson();
      const phone = app.client('LatchkeyApp/3.1 okhttp/4.12.0');
      const { body } = await phone.login(person, 'phone-1').expect(200);
      await phone.refresh(body.refresh_token, 'phone-1').expect(200);
      app.advance(3600);
      const updated = app.client('LatchkeyApp/3.2 okhttp/4.13.0');
      const { body: healed } = await updated.refresh(body.refresh_token, 'phone-1').expect(200);
      await updated.refresh(healed.refresh_token, 'phone-1').expect(200);
    });

    it('two tabs that heal one lost answer together converge', async () => {
      const { browser, person } = await app.givenSignedIn();
      await browser.copy().refresh().expect(200);
      app.advance(3600);
      const tabs = [browser.copy(), browser.copy()];
      const answers = await app.whileLocked(LOCK_SESSIONS_OF, [person.id], 2, () =>
        tabs.map(async (tab) => tab.refresh()),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(tabs[0].cookie('refresh_token')).toBe(tabs[1].cookie('refresh_token'));
      await tabs[0].refresh().expect(200);
    });

    it('a token that was never ours ends nobody’s session', async () => {
      const { browser } = await app.givenSignedIn();
      const token = browser.cookie('refresh_token')!;
      const forgeries = [
        '',
        'x',
        token.slice(0, -1),
        `${token}A`,
        `B${token.slice(1)}`,
        flipLast(token),
        Buffer.alloc(69, 1).toString('base64url'),
      ];
      for (const forged of forgeries) {
        const { body } = await app.client().refresh(forged).expect(401);
        expect(body.code).toBe('token_invalid');
      }
      await browser.refresh().expect(200);
    });
  });

  describe('replay', () => {
    const replays: [string, (browser: ReturnType<TestApp['browser']>) => Promise<ReturnType<TestApp['browser']>>][] = [
      [
        'a parent after the grace without the device',
        async (browser) => {
          const thief = withoutDevice(browser);
          await browser.refresh().expect(200);
          app.advance(11);
          return thief;
        },
      ],
      [
        'a parent whose successor was used, within the grace',
        async (browser) => {
          const thief = browser.copy();
          await browser.refresh().expect(200);
          await browser.refresh().expect(200);
          return thief;
        },
      ],
      [
        'a skipped token',
        async (browser) => {
          const thief = browser.copy();
          await thief.refresh().expect(200);
          app.advance(3600);
          await browser.refresh().expect(200);
          return thief;
        },
      ],
      [
        'a lost answer after REFRESH_LOST_ANSWER_HOURS',
        async (browser) => {
          await browser.copy().refresh().expect(200);
          app.advance(24 * 3600 + 1);
          return browser;
        },
      ],
    ];

    it.each(replays)('%s ends the session, for the thief and for the owner', async (_name, arrange) => {
      const { browser, person, accessToken } = await app.givenSignedIn();
      const thief = await arrange(browser);
      const { body } = await thief.refresh().expect(401);
      expect(body.code).toBe('token_revoked');
      const [session] = await app.rows<{ end_reason: string }>(
        'select end_reason from sessions where user_id = $1 and end_reason is not null',
        [person.id],
      );
      expect(session.end_reason).toBe('refresh_token_reused');
      expect(await app.auditTypes(person.id)).toEqual(
        expect.arrayContaining(['session.ended', 'session.refresh_token_reused']),
      );
      await browser.refresh().expect(401);
      const { body: refused } = await app.client().me(accessToken).expect(401);
      expect(['token_revoked', 'token_expired']).toContain(refused.code);
    });

    it('the window does not slide: repeats do not prolong the grace', async () => {
      const { browser } = await app.givenSignedIn();
      const thief = withoutDevice(browser);
      await browser.refresh().expect(200);
      app.advance(6);
      await thief.copy().refresh().expect(200);
      app.advance(6);
      await thief.refresh().expect(401);
    });

    it('a parent from another device, within the grace of a healing, ends the session', async () => {
      const { browser } = await app.givenSignedIn();
      const thief = withoutDevice(browser);
      await browser.copy().refresh().expect(200);
      app.advance(3600);
      const tab = browser.copy();
      await browser.refresh().expect(200);
      await tab.refresh().expect(200);
      expect((await thief.refresh().expect(401)).body.code).toBe('token_revoked');
      await browser.refresh().expect(401);
    });

    it('healing does not prolong the time in which a lost answer may heal', async () => {
      const { browser } = await app.givenSignedIn();
      await browser.copy().refresh().expect(200);
      app.advance(20 * 3600);
      await browser.copy().refresh().expect(200);
      app.advance(5 * 3600);
      await browser.refresh().expect(401);
    });
  });

  describe('the end of a session', () => {
    it('comes after REFRESH_TOKEN_EXPIRE_DAYS without a refresh', async () => {
      const { browser } = await app.givenSignedIn();
      app.advance(13 * 86_400);
      await browser.refresh().expect(200);
      app.advance(14 * 86_400 + 1);
      const { body } = await browser.refresh().expect(401);
      expect(body.code).toBe('token_expired');
    });

    it('comes after SESSION_MAX_DAYS in any case', async () => {
      const { browser } = await app.givenSignedIn();
      for (let day = 0; day < 88; day += 11) {
        app.advance(11 * 86_400);
        await browser.refresh().expect(200);
      }
      app.advance(2 * 86_400 + 1);
      const { body } = await browser.refresh().expect(401);
      expect(body.code).toBe('token_expired');
    });

    it('comes at once for a disabled user', async () => {
      const { browser, person } = await app.givenSignedIn();
      await app.rows('update users set is_active = false where id = $1', [person.id]);
      const { body } = await browser.refresh().expect(401);
      expect(body.code).toBe('token_revoked');
    });

    it('wins against a refresh that waits behind it', async () => {
      const { browser, person } = await app.givenSignedIn();
      const [answer] = await app.whileLocked(
        `update sessions set ended_at = now(), end_reason = 'logout' where user_id = $1`,
        [person.id],
        1,
        () => [(async () => browser.refresh())()],
      );
      expect(answer.status).toBe(401);
      expect(answer.body.code).toBe('token_revoked');
    });
  });

  it('audits a refresh from a new address or agent, with what it was before', async () => {
    const { browser, person } = await app.givenSignedIn();
    const moved = browser.copy('Mozilla/5.0 (Macintosh) Firefox/150.0');
    await moved.refresh().expect(200);
    const [event] = await app.rows<{ details: object; user_agent: string; request_id: string }>(
      `select details, user_agent, request_id from audit_events where user_id = $1 and type = 'session.moved'`,
      [person.id],
    );
    expect(event).toEqual({
      details: { ip_before: '127.0.0.1', user_agent_before: browser.userAgent },
      user_agent: moved.userAgent,
      request_id: expect.any(String),
    });
  });
});

describe('POST /auth/refresh is audited', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const events = (userId: string, type: string) =>
    app.rows<{ details: object; user_agent: string }>(
      'select details, user_agent from audit_events where user_id = $1 and type = $2 order by id',
      [userId, type],
    );

  it('where it repeats another agent’s refresh within the grace', async () => {
    const { browser, person } = await app.givenSignedIn();
    const [tab, elsewhere] = [browser.copy(), browser.copy('curl/8.0')];
    await browser.refresh().expect(200);
    await tab.refresh().expect(200);
    expect(await events(person.id, 'session.moved')).toEqual([]);
    await elsewhere.refresh().expect(200);
    expect(await events(person.id, 'session.moved')).toEqual([
      { details: { ip_before: '127.0.0.1', user_agent_before: browser.userAgent }, user_agent: 'curl/8.0' },
    ]);
  });

  it.each([
    ['has expired', 'expired', () => Promise.resolve(app.advance(15 * 86_400))],
    ['has ended', 'ended', (id: string) => app.revoke({ sessionsOf: id })],
    [
      'is of a disabled account',
      'disabled',
      (id: string) => app.rows('update users set is_active = false where id = $1', [id]),
    ],
  ])('where the session %s', async (_name, reason, end: (userId: string) => Promise<unknown>) => {
    const { browser, person } = await app.givenSignedIn();
    await end(person.id);
    await browser.refresh().expect(401);
    const [event] = await events(person.id, 'session.refresh_refused');
    expect(event.details).toEqual({ reason });
  });
});

describe('POST /auth/refresh in strict mode', () => {
  let app: TestApp;
  beforeAll(
    async () => (app = await TestApp.start({ REFRESH_REUSE_GRACE_SECONDS: '0', REFRESH_LOST_ANSWER_HOURS: '0' })),
  );
  afterAll(() => app.stop());

  it('ends the session at the second use of any token (ASVS 10.4.5)', async () => {
    const { browser } = await app.givenSignedIn();
    const again = browser.copy();
    await browser.refresh().expect(200);
    await again.refresh().expect(401);
    await browser.refresh().expect(401);
  });
});

/** The refresh cookie alone, in another browser: what a thief of one cookie holds. */
function withoutDevice(browser: ReturnType<TestApp['browser']>): ReturnType<TestApp['browser']> {
  const thief = browser.copy('curl/8.0');
  thief.jar.delete('device');
  return thief;
}

function flipLast(token: string): string {
  return token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
}
