import { canonicalName } from './canonical-name.js';

describe('canonicalName', () => {
  it.each([
    ['Ada', 'ada'],
    ['ＡＤＡ', 'ada'],
    ['ﬁnn', 'finn'],
    ['STRASSE', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['Å', 'å'],
    ['e\u0301', 'é'],
    ['K', 'k'], // the sign of the unit kelvin
  ])('%s and %s are one name', (left, right) => {
    expect(canonicalName(left)).toBe(canonicalName(right));
  });

  it('is its own canonical form', () => {
    for (const name of ['İstanbul', 'ŉandi', 'ǰ', 'ΐ', 'ﬀ', '①', 'straße'])
      expect(canonicalName(canonicalName(name))).toBe(canonicalName(name));
  });

  it('keeps different names apart', () => {
    expect(new Set(['ada', 'äda', 'ada1', 'а\u0434а'].map(canonicalName)).size).toBe(4); // the last one is Cyrillic
  });
});
