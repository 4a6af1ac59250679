// Sends wrong sign-ins at `perSecond` to a service on this machine for `seconds`, or as many as 256
// connections get answered; prints what came back as JSON. Each names somebody else, from one of 200 addresses.
// node bench/flood.mjs <port> <seconds> <perSecond>
import http from 'node:http';

const [port, seconds, perSecond] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const statuses = {};
let offered = 0;
let slowestMs = 0;
const begun = performance.now();
const over = () => performance.now() - begun > seconds * 1000;

function attempt() {
  const body = JSON.stringify({ username: `x${offered}`, password: 'not the password' });
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-auth-transport': 'body',
    'x-forwarded-for': `203.0.113.${offered % 200}`,
  };
  offered++;
  const sent = performance.now();
  return new Promise((resolve) => {
    const request = http.request(
      { port, agent, host: '127.0.0.1', path: '/auth/login', method: 'POST', headers },
      (response) => {
        response.resume();
        response.on('end', () => {
          statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
          slowestMs = Math.max(slowestMs, performance.now() - sent);
          resolve();
        });
      },
    );
    request.on('error', () => {
      statuses.error = (statuses.error ?? 0) + 1;
      resolve();
    });
    request.end(body);
  });
}

await Promise.all(
  Array.from({ length: 256 }, async () => {
    while (!over()) {
      const ahead = offered / perSecond - (performance.now() - begun) / 1000;
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead * 1000));
      await attempt();
    }
  }),
);
agent.destroy();
process.stdout.write(
  JSON.stringify({
    offered,
    offeredPerSecond: Math.round(offered / ((performance.now() - begun) / 1000)),
    statuses,
    slowestMs: Math.round(slowestMs),
  }),
);
