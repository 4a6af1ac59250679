import { newId, oldestIdAt } from './ids.js';

describe('oldestIdAt', () => {
  it('sorts before the ids of its instant, and after those of the millisecond before', () => {
    const at = new Date('2026-01-31T12:00:00.123Z');
    const before = new Date(at.getTime() - 1);
    for (let time = 0; time < 1000; time++) {
      expect(newId(at) > oldestIdAt(at)).toBe(true);
      expect(newId(before) < oldestIdAt(at)).toBe(true);
    }
  });

  it('is a UUID for every time that RFC 3339 can write', () => {
    expect(oldestIdAt(new Date('0000-01-01T00:00:00Z'))).toBe('00000000-0000-0000-0000-000000000000');
    expect(oldestIdAt(new Date('9999-12-31T23:59:59.999Z'))).toBe('e677d21f-dbff-0000-0000-000000000000');
  });
});
