import { randomUUID } from 'node:crypto';

import { newId } from '../../src/common/ids.js';
import { TestApp } from '../support/test-app.js';

interface Event {
  id: string;
  occurred_at: string;
  type: string;
  user_id: string | null;
  actor_id: string | null;
  ip: string | null;
  risk: number | null;
}
interface Page {
  items: Event[];
  next_cursor: string | null;
}

describe('GET /admin/audit', () => {
  let app: TestApp;
  let admin: Awaited<ReturnType<TestApp['givenAdmin']>>;
  beforeAll(async () => {
    app = await TestApp.start();
    admin = await app.givenAdmin();
  });
  afterAll(() => app.stop());

  const search = async (query: Record<string, string | number> = {}): Promise<Page> =>
    (await admin.get('/admin/audit').query(query).expect(200)).body as Page;
  const idsOf = ({ items }: Page) => items.map(({ id }) => id);

  /** An event as the service would have written it at `at`. */
  async function given(event: {
    at: string;
    user?: string;
    actor?: string;
    type?: string;
    ip?: string;
    risk?: number;
  }) {
    const { at, user = null, actor = null, type = 'login.failed', ip = null, risk = null } = event;
    const id = newId(new Date(at));
    await app.rows(
      `insert into audit_events (id, occurred_at, type, outcome, user_id, actor_id, ip, risk)
       values ($1, $2, $3, 'failure', $4, $5, $6, $7)`,
      [id, at, type, user, actor, ip, risk],
    );
    return id;
  }

  it('shows all that a row has', async () => {
    const person = await app.givenPerson();
    await admin
      .patch(`/admin/users/${person.id}`)
      .send({ roles: ['user', 'admin'] })
      .expect(200);
    const { items } = await search({ user: person.id, type: 'user.changed' });
    expect(items).toEqual([
      {
        id: expect.any(String),
        occurred_at: expect.stringMatching(/^\d{4}-.*Z$/),
        type: 'user.changed',
        outcome: 'success',
        user_id: person.id,
        actor_id: admin.person.id,
        session_id: expect.any(String),
        client_id: null,
        ip: '127.0.0.1',
        user_agent: 'okhttp/4.12.0',
        country: null,
        city: null,
        asn: null,
        risk: null,
        risk_reasons: null,
        request_id: expect.any(String),
        details: { roles: { from: ['user'], to: ['admin', 'user'] } },
      },
    ]);
  });

  it('goes from page to page, newest first, and says when there is no more', async () => {
    const user = randomUUID();
    const ids: string[] = [];
    // Over months, and two in the same millisecond.
    for (const at of [
      '2025-01-05T00:00:00Z',
      '2026-02-01T10:00:00Z',
      '2026-02-01T10:00:00Z',
      '2026-12-31T23:59:59.999Z',
    ])
      ids.unshift(await given({ at, user }));
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let pages = 1; pages <= 4; pages++) {
      const page: Page = await search({ user, limit: 1, ...(cursor && { cursor }) });
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
      expect(cursor === null).toBe(pages === 4);
    }
    expect(seen).toEqual(ids);
  });

  describe('filters', () => {
    const user = randomUUID();
    const ids: Record<string, string> = {};
    beforeAll(async () => {
      ids.v4 = await given({ at: '2026-03-01T00:00:00Z', user, ip: '198.51.100.7', risk: 0.1 });
      ids.neighbour = await given({ at: '2026-03-01T00:00:00.001Z', user, ip: '198.51.101.7', risk: 74.9 });
      ids.v6 = await given({ at: '2026-03-02T00:00:00Z', user, ip: '2001:db8:1::7', type: 'login.locked', risk: 75.3 });
      ids.unrated = await given({ at: '2026-04-01T00:00:00Z', user, actor: user });
      ids.by = await given({ at: '2026-05-01T00:00:00Z', user, actor: admin.person.id, type: 'user.changed' });
    });

    it.each([
      ['the user alone', {}, ['by', 'unrated', 'v6', 'neighbour', 'v4']],
      ['type', { type: 'login.locked' }, ['v6']],
      ['an address', { ip: '198.51.100.7' }, ['v4']],
      ['an address in another spelling', { ip: '::ffff:198.51.100.7' }, ['v4']],
      ['an IPv6 address in another spelling', { ip: '2001:0DB8:1:0::7' }, ['v6']],
      ['a network', { ip: '198.51.100.0/24' }, ['v4']],
      ['a network by one of its addresses', { ip: '198.51.100.200/23' }, ['neighbour', 'v4']],
      ['all of IPv4', { ip: '0.0.0.0/0' }, ['neighbour', 'v4']],
      ['an IPv6 network', { ip: '2001:db8::/32' }, ['v6']],
      ['another network', { ip: '192.0.2.0/24' }, []],
      ['from, which counts', { from: '2026-03-02T00:00:00Z' }, ['by', 'unrated', 'v6']],
      ['to, which does not', { to: '2026-03-02T00:00:00Z' }, ['neighbour', 'v4']],
      ['a millisecond', { from: '2026-03-01T00:00:00.001Z', to: '2026-03-01T00:00:00.002Z' }, ['neighbour']],
      ['another zone', { from: '2026-03-02T02:00:00+02:00', to: '2026-03-02T02:00:01+02:00' }, ['v6']],
      ['an empty time', { from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }, []],
      ['all of time', { from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z', type: 'login.locked' }, ['v6']],
      ['risk, in the exactness of the column', { min_risk: '75.3' }, ['v6']],
      ['any risk', { min_risk: '0' }, ['v6', 'neighbour', 'v4']],
      ['several at once', { ip: '198.51.0.0/16', min_risk: '1', type: 'login.failed' }, ['neighbour']],
    ])('by %s', async (_name, filter, expected) => {
      expect(idsOf(await search({ user, ...filter }))).toEqual(expected.map((name) => ids[name]));
    });

    it('by who did it to others', async () => {
      expect(idsOf(await search({ actor: admin.person.id, user }))).toEqual([ids.by]);
      expect(idsOf(await search({ actor: user }))).toEqual([]);
    });
  });

  it.each([
    ['cursor', 'cursor=made-up'],
    ['cursor', `cursor=${Buffer.from("' or 1=1 --").toString('base64url')}`],
    ['cursor', `cursor=${Buffer.from('019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10\0').toString('base64url')}`],
    ['cursor', 'cursor='],
    ['cursor', 'cursor=a&cursor=b'],
    ['limit', 'limit=0'],
    ['limit', 'limit=201'],
    ['user', 'user=ada'],
    ['user', 'user='],
    ['user', 'user=019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10&user=019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10'],
    ['actor', "actor='"],
    ['type', 'type=login'],
    ['type', 'type=__proto__'],
    ['type', 'type=login.failed&type=login.locked'],
    ['type[]', 'type[]=login.failed'],
    ['ip', 'ip=203.0.113.7/33'],
    ['ip', 'ip=nowhere'],
    ['ip', 'ip=%00'],
    ['from', 'from=yesterday'],
    ['from', 'from=2026-02-30T00:00:00Z'],
    ['from', 'from=2026-01-01'],
    ['to', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'],
    ['min_risk', 'min_risk='],
    ['min_risk', 'min_risk=101'],
    ['min_risk', 'min_risk=100.1'],
    ['min_risk', 'min_risk=-1'],
    ['min_risk', 'min_risk=1e1'],
    ['min_risk', 'min_risk=NaN'],
    ['is_admin', 'is_admin=true'],
    ['__proto__', '__proto__=x'],
  ])('refuses a bad %s: %s', async (field, query) => {
    const { body } = await admin.get(`/admin/audit?${query}`).expect(422);
    expect((body as { errors: { field: string }[] }).errors.map((error) => error.field)).toEqual([field]);
  });

  it('finds nothing of ids that nobody has', async () => {
    expect(await search({ user: randomUUID() })).toEqual({ items: [], next_cursor: null });
    const cursor = Buffer.from('00000000-0000-7000-8000-000000000000').toString('base64url');
    expect(await search({ cursor })).toEqual({ items: [], next_cursor: null });
  });

  it('answers in JSON whatever else is asked for', async () => {
    for (const accept of ['*/*', 'text/html, */*;q=0.1', 'application/json, text/csv;q=0.9', 'image/png', 'nonsense']) {
      const { headers } = await admin.get('/admin/audit').set('Accept', accept).expect(200);
      expect([accept, headers['content-type']]).toEqual([accept, 'application/json; charset=utf-8']);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers.vary).toContain('Accept');
    }
  });
});
