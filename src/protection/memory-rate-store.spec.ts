import { Clock } from '../common/clock.js';
import { MemoryRateStore } from './memory-rate-store.js';

describe('MemoryRateStore', () => {
  it('counts a window, and begins the next one when it is over', async () => {
    const clock = new Clock();
    let now = 1000;
    clock.now = () => new Date(now);
    const store = new MemoryRateStore(clock);
    const hit = () => store.increment('key', 60_000, 2);
    expect((await hit()).isBlocked).toBe(false);
    expect((await hit()).isBlocked).toBe(false);
    expect(await hit()).toEqual({ totalHits: 3, timeToExpire: 60, isBlocked: true, timeToBlockExpire: 60 });
    now += 60_000;
    expect((await hit()).totalHits).toBe(1);
  });

  it('stays flat under 200,000 random addresses, and lets go of what is over', async () => {
    const clock = new Clock();
    let now = 1000;
    clock.now = () => new Date(now);
    const store = new MemoryRateStore(clock);
    const { windows } = store as unknown as { windows: Map<string, unknown> };
    for (let address = 0; address < 200_000; address++) {
      await store.increment(`login|10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`, 60_000, 5);
      if (address % 1000 === 0) expect(windows.size).toBeLessThanOrEqual(100_000);
    }
    now += 120_000;
    for (let address = 0; address < 50_000; address++) await store.increment(`login|again${address}`, 60_000, 5);
    expect(windows.size).toBeLessThanOrEqual(50_000);
  });
});
