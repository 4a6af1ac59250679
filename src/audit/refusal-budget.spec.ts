import { RefusalBudget, ROWS_A_NETWORK } from './refusal-budget.js';

describe('RefusalBudget', () => {
  const lines: object[] = [];
  const silent = () => {};
  const logger = { debug: silent, info: silent, error: silent, warn: (fields: object) => void lines.push(fields) };

  it('is bounded in all, so that a flood from everywhere fills neither memory nor table', () => {
    const budget = new RefusalBudget(logger);
    const ip = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
    const taken = Array.from({ length: 12_000 }, (_, at) => budget.take(ip(at))).filter(Boolean);
    expect(taken).toHaveLength(10_000);
    budget.renew();
    expect(lines).toEqual([{ total: 2000, networks: [] }]);
    expect(budget.take(ip(11_999))).toBe(true);
  });

  it('says nothing where nothing was left out', () => {
    lines.length = 0;
    const budget = new RefusalBudget(logger);
    for (let time = 0; time < ROWS_A_NETWORK; time++) expect(budget.take('203.0.113.7')).toBe(true);
    budget.renew();
    expect(lines).toEqual([]);
  });
});
