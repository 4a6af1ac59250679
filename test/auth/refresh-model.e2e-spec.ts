import fc from 'fast-check';

import { Browser } from '../support/browser.js';
import { TestApp } from '../support/test-app.js';

/**
 * One session, its owner and a thief who copied what the owner had. They come in every order; an
 * answer may be lost; time passes. Whatever happened, once both have come back after the grace,
 * they never both go on.
 */
type Move =
  | 'owner'
  | 'owner-loses-answer'
  | 'thief'
  | 'thief-loses-answer'
  | 'steal-cookie'
  | 'steal-all'
  | 'wait-second'
  | 'wait-minute'
  | 'wait-hour';

const moves: Move[] = [
  'owner',
  'owner-loses-answer',
  'thief',
  'thief-loses-answer',
  'steal-cookie',
  'steal-all',
  'wait-second',
  'wait-minute',
  'wait-hour',
];

describe('a thief and the owner of one session', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('never both go on, in any order of up to six moves', async () => {
    const person = await app.givenPerson();
    const histories = { met: 0, ended: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...moves), { minLength: 1, maxLength: 6 }), async (history) => {
        const owner = app.browser();
        await owner.login(person).expect(200);
        let thief: Browser = steal(owner, 'cookie');
        for (const move of history) thief = await play(app, move, owner, thief);
        // Both come back, twice each, well apart.
        const results: boolean[] = [];
        for (const who of [owner, thief, owner, thief]) {
          app.advance(60);
          results.push((await who.refresh()).status === 200);
        }
        histories.met++;
        if (results.includes(false)) histories.ended++;
        expect(results[2] && results[3]).toBe(false);
      }),
      { numRuns: 120, seed: 20_261_121 },
    );
    expect(histories.ended).toBe(histories.met);
  }, 120_000);

  it('lets an honest owner go on, however many answers are lost within the windows', async () => {
    const person = await app.givenPerson();
    const alone: Move[] = ['owner', 'owner-loses-answer', 'wait-second', 'wait-minute', 'wait-hour'];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...alone), { minLength: 1, maxLength: 6 }), async (history) => {
        const owner = app.browser();
        await owner.login(person).expect(200);
        for (const move of history) await play(app, move, owner, owner);
        expect((await owner.refresh()).status).toBe(200);
      }),
      { numRuns: 80, seed: 20_261_121 },
    );
  }, 120_000);
});

async function play(app: TestApp, move: Move, owner: Browser, thief: Browser): Promise<Browser> {
  switch (move) {
    case 'owner':
      await owner.refresh();
      return thief;
    case 'owner-loses-answer':
      await owner.copy().refresh();
      return thief;
    case 'thief':
      await thief.refresh();
      return thief;
    case 'thief-loses-answer':
      await thief.copy().refresh();
      return thief;
    case 'steal-cookie':
      return steal(owner, 'cookie');
    case 'steal-all':
      return steal(owner, 'all');
    case 'wait-second':
      app.advance(1);
      return thief;
    case 'wait-minute':
      app.advance(60);
      return thief;
    case 'wait-hour':
      app.advance(3600);
      return thief;
  }
}

/** One cookie out of the browser, or everything that is in it. */
function steal(owner: Browser, what: 'cookie' | 'all'): Browser {
  const thief = owner.copy(what === 'all' ? owner.userAgent : 'curl/8.0');
  if (what === 'cookie') thief.jar.delete('device');
  return thief;
}
