import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { AuditRepository, type AuditFilter } from '../../src/audit/audit.repository.js';
import { eventually } from '../support/service-process.js';
import { TestApp } from '../support/test-app.js';

const ROWS = 200_000;
const CROWD = '019a0f6e-6f0a-7c3e-9d2b-000000000000';
const RARE_USER = '019a0f6e-6f0a-7c3e-9d2b-000000000001';

/** Rows over four months, 2,000 of each user, a few of one more, from 65,536 addresses. */
const FILL = `
  with rows as (
    select n, now() - interval '30 days' + n * (interval '120 days' / ${ROWS}) as at, md5(n::text) as random
      from generate_series(1, ${ROWS}) n)
  insert into audit_events (id, occurred_at, type, outcome, user_id, ip, risk, user_agent, details)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(random, 1, 3) || '8' || substr(random, 4, 15))::uuid,
         at, (array['login.succeeded', 'session.moved', 'session.ended', 'login.failed'])[1 + n % 4], 'success',
         case when n % 20000 = 0 then '${RARE_USER}'::uuid else ('019a0f6e-6f0a-7c3e-9d2b-1' || lpad((n % 100)::text, 11, '0'))::uuid end,
         '10.9.0.0'::inet + n % 65536, case when n % 1000 = 0 then 90 end, 'Mozilla/5.0', '{"amr": ["pwd"]}'
    from rows`;

describe('an export of the audit log', () => {
  let app: TestApp;
  let admin: Awaited<ReturnType<TestApp['givenAdmin']>>;
  beforeAll(async () => {
    app = await TestApp.start();
    admin = await app.givenAdmin();
    await app.rows(FILL);
    await app.rows('analyze audit_events');
  }, 120_000);
  afterAll(() => app.stop());

  const read = (accept: string, query: string, accessToken = admin.accessToken) =>
    app
      .client()
      .send('get', `/admin/audit?${query}`)
      .set('Authorization', `Bearer ${accessToken}`)
      .set('Accept', accept)
      .buffer(true)
      .parse((response, done) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => done(null, text));
      });
  const exported = () =>
    app.rows<{ actor_id: string; details: object }>(
      `select actor_id, details from audit_events where type = 'audit.exported' order by id`,
    );
  /** An export whose reader reads nothing yet. */
  const open = (query = '', accessToken = admin.accessToken) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/x-ndjson' };
      http.get(`${app.url}/admin/audit?${query}`, { headers, agent: false }, resolve).once('error', reject);
    });

  /** Somebody with these permissions, signed in. */
  async function givenHolder(...permissions: string[]) {
    const name = `r${randomBytes(6).toString('hex')}`;
    await admin.post('/admin/roles').send({ name, permissions }).expect(201);
    const person = await app.givenPerson();
    await app.rows('update users set roles = array[$2] where id = $1', [person.id, name]);
    const { body } = await app.client().login(person).expect(200);
    return { person, ...(body as { access_token: string; refresh_token: string }) };
  }

  it('has the same events as the pages, as NDJSON', async () => {
    const { body, headers } = await read('application/x-ndjson', `user=${RARE_USER}`).expect(200);
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(headers['content-disposition']).toBe('attachment; filename="audit.ndjson"');
    expect(headers['cache-control']).toBe('no-store');
    const lines = (body as string).trimEnd().split('\n');
    const { items } = (await admin.get(`/admin/audit?user=${RARE_USER}`).expect(200)).body as { items: object[] };
    expect(items).toHaveLength(10);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(items);
  });

  it('is CSV in which nothing runs', async () => {
    const agent = `=HYPERLINK("https://evil.example","x"),\u00e9`;
    const { person } = await app.givenSignedIn();
    await app
      .client(Buffer.from(agent).toString('latin1'))
      .login({ ...person, password: 'wrong' })
      .expect(401);
    const { body, headers } = await read('text/csv', `user=${person.id}&type=login.failed`).expect(200);
    expect(headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    const [head, line, rest] = (body as string).split('\r\n');
    expect(head).toBe(
      '"id","occurred_at","type","outcome","user_id","actor_id","session_id","client_id","ip","user_agent","country","city","asn","risk","risk_reasons","request_id","details"',
    );
    expect(line).toContain(`"'=HYPERLINK(""https://evil.example"",""x""),`);
    expect(line).toContain('"{""reason"":""wrong_password""');
    expect(rest).toBe('');
  });

  it('has a head where nothing matches', async () => {
    const { body } = await read('text/csv', `user=${CROWD}`).expect(200);
    expect((body as string).split('\r\n')).toEqual([expect.stringMatching(/^"id",/), '']);
    expect((await read('application/x-ndjson', `user=${CROWD}`).expect(200)).body).toBe('');
  });

  it('is an event itself, with who and what', async () => {
    const before = (await exported()).length;
    await read('text/csv', `user=${RARE_USER}&ip=10.9.0.0/16&from=2020-01-01T00:00:00Z`).expect(200);
    expect((await exported()).slice(before)).toEqual([
      {
        actor_id: admin.person.id,
        details: { format: 'csv', user: RARE_USER, ip: '10.9.0.0/16', from: '2020-01-01T00:00:00.000Z' },
      },
    ]);
  });

  it('has all, and is refused for a part', async () => {
    const { body } = await read('text/csv', 'limit=10&cursor=x').expect(422);
    const { errors } = JSON.parse(body as string) as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(['limit', 'cursor']);
    await read('text/csv', 'type=nothing').expect(422);
  });

  it('needs both permissions, and says so to nobody else', async () => {
    const before = (await exported()).length;
    for (const permission of ['audit:read', 'audit:export']) {
      const holder = await givenHolder(permission);
      await read('text/csv', '', holder.access_token).expect(403);
      expect(await app.auditTypes(holder.person.id)).toContain('access.refused');
      const page = app.client().send('get', '/admin/audit').set('Authorization', `Bearer ${holder.access_token}`);
      await page.expect(permission === 'audit:read' ? 200 : 403);
    }
    const both = await givenHolder('audit:read', 'audit:export');
    expect((await exported()).length).toBe(before);
    await read('text/csv', `user=${CROWD}`, both.access_token).expect(200);
  });

  it('reads no further than its client, holds nothing meanwhile, and is complete', async () => {
    const response = await open('type=login.failed');
    await sleep(1000);
    const [{ held }] = await app.rows<{ held: number }>(
      `select count(*)::int as held from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
          and (state <> 'idle' or backend_xmin is not null)`,
    );
    expect(held).toBe(0);
    // What the sockets of both sides hold; the export has far more.
    expect(response.socket.bytesRead).toBeLessThan(16 * 1024 * 1024);
    const ids = new Set<string>();
    let last = '~';
    let rest = '';
    for await (const chunk of response) {
      const lines = (rest + (chunk as Buffer).toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const { id } = JSON.parse(line) as { id: string };
        expect(id < last).toBe(true);
        last = id;
        ids.add(id);
      }
    }
    expect(response.complete).toBe(true);
    expect(ids.size).toBeGreaterThanOrEqual(ROWS / 4);
  }, 60_000);

  it('stops when its client goes, and only so many run at once', async () => {
    const running: http.IncomingMessage[] = [];
    for (let time = 0; time < 4; time++) running.push(await open());
    expect(running.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    const fifth = await open();
    expect(fifth.statusCode).toBe(503);
    expect(Number(fifth.headers['retry-after'])).toBeGreaterThan(0);
    for (const response of running) response.destroy();
    await eventually(async () => {
      const response = await open();
      response.destroy();
      return response.statusCode === 200;
    });
  });

  it.each([
    ['who asked is signed out', (id: string) => app.revoke({ sessionsOf: id })],
    ['who asked may no more', (id: string) => app.rows(`update users set roles = '{user}' where id = $1`, [id])],
  ])('breaks off, and does not look complete, where %s', async (_name, end) => {
    const { access_token, person } = await givenHolder('audit:read', 'audit:export');
    const response = await open('', access_token);
    await sleep(200);
    await end(person.id);
    const ended = new Promise((resolve) => response.once('close', resolve));
    response.on('error', () => {});
    response.resume();
    await ended;
    expect(response.complete).toBe(false);
  });

  it('asks for a recent proof of identity, which a page does not', async () => {
    const holder = await givenHolder('audit:read', 'audit:export');
    app.advance(14 * 60);
    await read('text/csv', `user=${CROWD}`, holder.access_token).expect(200);
    app.advance(45);
    const later = await app.client().refresh(holder.refresh_token).expect(200);
    const { access_token } = later.body as { access_token: string };
    app.advance(60);
    const { body } = await read('text/csv', `user=${CROWD}`, access_token).expect(403);
    expect(JSON.parse(body as string)).toMatchObject({ code: 'step_up_required', methods: ['password'] });
    await app.client().send('get', '/admin/audit').set('Authorization', `Bearer ${access_token}`).expect(200);
  });

  describe('the plan of a first page', () => {
    interface Plan {
      'Node Type': string;
      'Relation Name'?: string;
      'Actual Rows': number;
      'Rows Removed by Filter'?: number;
      Plans?: Plan[];
    }
    const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
    const soon = new Date(Date.now() + 20 * 86_400_000);

    const filters: [string, AuditFilter][] = [
      ['nothing', {}],
      ['a user of 2,000 events', { user: '019a0f6e-6f0a-7c3e-9d2b-100000000007' }],
      ['a user of 10', { user: RARE_USER }],
      ['a user of none', { user: CROWD }],
      ['who did it', { actor: CROWD }],
      ['a common type', { type: 'login.failed' }],
      ['a rare type', { type: 'user.registered' }],
      ['a type of which there is none', { type: 'key.compromised' }],
      ['an address', { ip: '10.9.1.7' }],
      ['an address that nobody had', { ip: '192.0.2.1' }],
      ['a small network', { ip: '10.9.1.0/28' }],
      ['a large network', { ip: '10.9.0.0/16' }],
      ['an old month', { to: new Date(Date.now() - 20 * 86_400_000) }],
      ['a day', { from: soon, to: new Date(soon.getTime() + 86_400_000) }],
      ['risk', { min_risk: 75 }],
      ['risk that nobody had', { min_risk: 99 }],
      ['a user and a type', { user: '019a0f6e-6f0a-7c3e-9d2b-100000000007', type: 'login.failed' }],
    ];
    it.each(filters)('by %s reads few of 200,000 rows', async (_name, filter) => {
      const query = app.app.get(AuditRepository, { strict: false }).selection(filter, 51, null);
      const [sql, values] = query.getQueryAndParameters();
      const [row] = await app.rows<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${sql}`, values);
      const nodes = nodesOf(row['QUERY PLAN'][0].Plan);
      const touched = nodes.map((node) => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0));
      expect(Math.max(...touched)).toBeLessThan(2500);
    });
  });
});
