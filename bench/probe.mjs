// Loaded into the service by a bench (--import): writes event-loop delay and memory down each second. Its threads
// inherit the option, and have no requests to answer.
import fs from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  setInterval(() => {
    const line = { delayP99Ms: delay.percentile(99) / 1e6 - 5, rssMb: Math.round(process.memoryUsage.rss() / 1048576) };
    delay.reset();
    fs.appendFileSync(process.env.PROBE_FILE, `${JSON.stringify(line)}\n`);
  }, 1000).unref();
}
