import { jwtVerify } from 'jose';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import request from 'supertest';

import { FeedReader } from '../support/feed-reader.js';
import { JWT_SECRET, TestApp } from '../support/test-app.js';
import { eventually } from '../support/service-process.js';

describe('the revocation feed', () => {
  let app: TestApp;
  let client: { clientId: string; authorization: string };
  const readers: FeedReader[] = [];
  beforeAll(async () => {
    app = await TestApp.start();
    client = await app.givenClient();
  });
  afterEach(() => readers.splice(0).forEach((reader) => reader.close()));
  afterAll(() => app.stop());

  const open = async (lastEventId?: string, at = app) => {
    const reader = await FeedReader.open(at.url, client.authorization, lastEventId);
    readers.push(reader);
    return reader;
  };
  const page = (query = '') => request(app.url).get(`/revocations${query}`).set('Authorization', client.authorization);
  const sidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).sid;

  it('tells of every end of a session, with its reason, as it happens', async () => {
    const reader = await open();
    await reader.synced();
    const { person, browser, accessToken } = await app.givenSignedIn();
    await browser.logout().expect(200);
    const entry = await reader.heard(sidOf(accessToken));
    expect(entry).toEqual({
      id: expect.any(String),
      kind: 'session',
      subject: sidOf(accessToken),
      issued_before: null,
      reason: 'logout',
      revoked_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      expires_at: expect.any(String),
    });
    expect(Date.parse(entry.expires_at) - Date.parse(entry.revoked_at)).toBe(910_000);

    const stolen = await app.client().login(person).expect(200);
    await app.client().refresh(stolen.body.refresh_token).expect(200);
    app.advance(20);
    await app.client('another').refresh(stolen.body.refresh_token).expect(401);
    expect((await reader.heard(sidOf(stolen.body.access_token))).reason).toBe('refresh_token_reused');
  });

  it('tells of all ends at once as one cut-off of the user', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const reader = await open();
    await request(app.url).post('/auth/logout-all').set('Authorization', `Bearer ${accessToken}`).expect(200);
    const entry = await reader.heard(person.id);
    expect(entry).toMatchObject({ kind: 'user', reason: 'logout_all' });
    const { iat } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString());
    expect(entry.issued_before).toBeGreaterThan(iat);
  });

  it('begins with all that still matters, and goes on where a reader stopped', async () => {
    const subjects = [randomUUID(), randomUUID(), randomUUID()];
    await app.revoke({ token: subjects[0] });
    const first = await open();
    await first.heard(subjects[0]);
    await first.synced();
    const at = first.events.at(-1)!.id;
    first.close();
    await app.revoke({ token: subjects[1] });
    const resumed = await open(at);
    await resumed.heard(subjects[1]);
    expect(resumed.entries.map(({ subject }) => subject)).not.toContain(subjects[0]);
    await app.revoke({ token: subjects[2] });
    await resumed.heard(subjects[2]);
    const unknown = await open('9007199254740991'); // an id of another database
    await unknown.heard(subjects[0]);
  });

  it('misses no entry whose transaction commits after those that began later', async () => {
    const reader = await open();
    await reader.synced();
    const [early, late] = [randomUUID(), randomUUID()];
    const slow = new pg.Client({ connectionString: app.ownerUrl });
    await slow.connect();
    try {
      await slow.query('begin');
      await slow.query(
        `insert into revocations (id, kind, subject, reason, revoked_at, expires_at)
         values ($1, 'token', $2, 'logout', now(), now() + interval '5 minutes')`,
        [randomUUID(), early],
      );
      await app.revoke({ token: late });
      await reader.heard(late);
      const resumeAt = reader.events.at(-1)!.id;
      const { body } = await page(`?after=${resumeAt}`).expect(200);
      await slow.query('commit');
      expect((await reader.heard(early)).subject).toBe(early); // no word was sent: found by looking
      const resumed = await open(resumeAt);
      await resumed.heard(early);
      const next = await page(`?after=${body.next_cursor}`).expect(200);
      expect(next.body.items.map(({ subject }: { subject: string }) => subject)).toContain(early);
    } finally {
      await slow.end();
    }
  });

  it('comes in pages that show every entry once, and an ETag spares the rest', async () => {
    const subjects = Array.from({ length: 23 }, () => randomUUID());
    for (const subject of subjects) await app.revoke({ token: subject });
    const seen: string[] = [];
    let after = '';
    for (let more = true; more;) {
      const { body } = await page(`?limit=5${after && `&after=${after}`}`).expect(200);
      seen.push(...body.items.map(({ subject }: { subject: string }) => subject));
      after = body.next_cursor;
      more = body.more;
    }
    for (const subject of subjects) expect(seen.filter((other) => other === subject)).toHaveLength(1);
    const { headers, body } = await page(`?after=${after}`).expect(200);
    expect(body).toEqual({ items: [], next_cursor: after, more: false });
    const etag = headers.etag;
    await page(`?after=${after}`).set('If-None-Match', etag).expect(304);
    await app.revoke({ token: randomUUID() });
    await page(`?after=${after}`).set('If-None-Match', etag).expect(200);
  });

  it('refuses cursors that are none', async () => {
    for (const after of ['x', '-1', '1.2', '1.2.3', '1e9', '%00']) {
      const { body } = await page(`?after=${after}`).expect(422);
      expect(body.errors[0].field).toBe('after');
    }
    await request(app.url)
      .get('/revocations/stream')
      .set('Authorization', client.authorization)
      .set('Last-Event-ID', 'garbage')
      .expect(422);
  });

  it('is for clients alone', async () => {
    for (const authorization of [
      undefined,
      'Basic',
      'Basic !!!',
      `Basic ${Buffer.from('no-colon').toString('base64')}`,
      `Basic ${Buffer.from(`${client.clientId}:wrong`).toString('base64')}`,
      `Basic ${Buffer.from(`${randomUUID()}:wrong`).toString('base64')}`,
      `Basic ${Buffer.from(`${client.clientId}:%zz`).toString('base64')}`,
      `Basic ${'A'.repeat(5000)}`,
      'Bearer abc',
    ]) {
      const test = request(app.url).get('/revocations');
      if (authorization) test.set('Authorization', authorization);
      const { body, headers } = await test.expect(401);
      expect(body.code).toBe('invalid_client');
      expect(headers['www-authenticate']).toMatch(/^Basic /);
    }
  });

  it('drops a client that is disabled, and its streams', async () => {
    const other = await app.givenClient();
    const reader = await FeedReader.open(app.url, other.authorization);
    readers.push(reader);
    await reader.synced();
    await app.revoke({ client: other.clientId }, 'client_disabled');
    await eventually(() => Promise.resolve(reader.ended));
    expect(reader.entries.at(-1)).toMatchObject({ kind: 'client', subject: other.clientId });
    await request(app.url).get('/revocations').set('Authorization', other.authorization).expect(401);
  });

  it('reaches the subscribers of every replica', async () => {
    const replica = await app.replica();
    try {
      const reader = await open(undefined, replica);
      await reader.synced();
      const { browser, accessToken } = await app.givenSignedIn();
      await browser.logout().expect(200);
      await reader.heard(sidOf(accessToken));
      expect((await replica.client().me(accessToken).expect(401)).body.code).toBe('token_revoked');
      reader.close();
    } finally {
      await replica.stop();
    }
  });

  it('loses entries only once no token is left that they could refuse', async () => {
    const subject = randomUUID();
    await app.revoke({ token: subject });
    expect((await page('?limit=200').expect(200)).text).toContain(subject);
    app.advance(911);
    await eventually(async () => !(await page('?limit=200').expect(200)).text.includes(subject));
    const fresh = await open();
    await fresh.synced();
    expect(fresh.entries.map((entry) => entry.subject)).not.toContain(subject);
  });
});

describe('security event tokens', () => {
  it('accompany entries where they are asked for, typed so that they pass for nothing else', async () => {
    const app = await TestApp.start({ REVOCATION_EVENT_TOKENS: 'true' });
    try {
      const { authorization } = await app.givenClient();
      const { person, browser } = await app.givenSignedIn();
      await app.revoke({ tokensOf: person.id }, 'roles_changed');
      await browser.logout().expect(200);
      const { body } = await request(app.url).get('/revocations').set('Authorization', authorization).expect(200);
      const [change, end] = body.items;
      const key = new TextEncoder().encode(JWT_SECRET);
      const { payload } = await jwtVerify(change.set, key, { typ: 'secevent+jwt', audience: 'latchkey' });
      expect(payload).toMatchObject({
        iss: app.config.tokens.issuer,
        jti: change.id,
        sub_id: { format: 'iss_sub', iss: app.config.tokens.issuer, sub: person.id },
        events: {
          'https://schemas.openid.net/secevent/caep/event-type/token-claims-change': {
            event_timestamp: expect.any(Number),
          },
        },
      });
      const ended = await jwtVerify(end.set, key, { typ: 'secevent+jwt' });
      expect(Object.keys(ended.payload.events as object)).toEqual([
        'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
      ]);
      expect((await app.client().me(change.set).expect(401)).body.code).toBe('token_invalid');
    } finally {
      await app.stop();
    }
  });
});

describe('a subscriber that does not read', () => {
  it('is cut, and the others go on', async () => {
    const app = await TestApp.start();
    const { authorization } = await app.givenClient();
    const [slow, good] = [await FeedReader.open(app.url, authorization), await FeedReader.open(app.url, authorization)];
    await good.synced();
    slow.response.pause();
    await app.rows(
      `insert into revocations (id, kind, subject, reason, revoked_at, expires_at)
       select gen_random_uuid(), 'token', n || repeat('x', 60000), 'logout', now(), now() + interval '1 minute'
         from generate_series(1, 200) n`,
    );
    await eventually(() => Promise.resolve(good.entries.length === 200));
    const last = randomUUID();
    await app.revoke({ token: last });
    await good.heard(last);
    await new Promise((resolve) => setTimeout(resolve, 2200)); // as long as the service is patient
    const later = randomUUID();
    await app.revoke({ token: later });
    await good.heard(later);
    slow.response.resume();
    await eventually(() => Promise.resolve(slow.ended));
    expect(slow.entries.map(({ subject }) => subject)).not.toContain(later);
    expect(good.ended).toBe(false);
    good.close();
    await app.stop();
  });
});
