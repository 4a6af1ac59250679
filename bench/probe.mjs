// Loaded into the service by a bench (--import): writes event-loop delay and memory down each second.
import fs from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
setInterval(() => {
  const line = { delayP99Ms: delay.percentile(99) / 1e6 - 5, rssMb: Math.round(process.memoryUsage.rss() / 1048576) };
  delay.reset();
  fs.appendFileSync(process.env.PROBE_FILE, `${JSON.stringify(line)}\n`);
}, 1000).unref();
