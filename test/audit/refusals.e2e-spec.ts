import { RefusalBudget } from '../../src/audit/refusal-budget.js';
import { TestApp } from '../support/test-app.js';

describe('a flood of refusals without a session', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ TRUST_PROXY: '1' })));
  afterAll(() => app.stop());

  const refuse = (ip: string) => app.client().me('nonsense').set('X-Forwarded-For', ip).expect(401);
  const rowsOf = (network: string) =>
    app.rows(`select 1 from audit_events where type = 'access.refused' and ip <<= $1::inet`, [network]);

  it('makes 30 rows a minute for one network, and the log says how many more there were', async () => {
    for (let time = 0; time < 35; time++) await refuse(`2001:db8:1:1::${time}`);
    await refuse('203.0.113.7');
    expect(await rowsOf('2001:db8:1:1::/64')).toHaveLength(30);
    expect(await rowsOf('203.0.113.7')).toHaveLength(1);

    app.app.get(RefusalBudget, { strict: false }).renew();
    expect(app.log).toContain('"total":5,"networks":[{"network":"2001:db8:1:1::/64","refusals":5}]');
    await refuse('2001:db8:1:1::1');
    expect(await rowsOf('2001:db8:1:1::/64')).toHaveLength(31);
  });

  it('hides no refusal of somebody who is signed in', async () => {
    const { accessToken, person } = await app.givenSignedIn();
    const forbidden = () =>
      app
        .client()
        .send('post', `/admin/users/${person.id}/unlock`)
        .set('Authorization', `Bearer ${accessToken}`)
        .expect(403);
    for (let time = 0; time < 35; time++) await forbidden();
    const types = await app.auditTypes(person.id);
    expect(types.filter((type) => type === 'access.refused')).toHaveLength(35);
  });
});
