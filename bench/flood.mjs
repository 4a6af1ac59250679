// Sends wrong sign-ins at `perSecond` to a service on this machine for `seconds`, each when it is due as long as
// one of its connections is free; prints what came back as JSON. Each names somebody else, from one of 200
// addresses. Plain sockets and ready-made text, so that it takes little of the cores that it shares.
// node bench/flood.mjs <port> <seconds> <perSecond>
import net from 'node:net';

const [port, seconds, perSecond] = process.argv.slice(2).map(Number);
const CONNECTIONS = 200; // one for each address
const BURST = 32; // a millisecond at most
const statuses = {};
const idle = [];
let offered = 0;
let open = 0;
let slowestMs = 0;

function connect() {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const connection = { socket, sentAt: 0 };
  let received = '';
  socket.setEncoding('latin1');
  socket.on('connect', () => {
    open++;
    idle.push(connection);
  });
  socket.on('data', (chunk) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)[1]);
    if (received.length < headEnd + 4 + length) return;
    const status = received.slice(9, 12);
    received = '';
    statuses[status] = (statuses[status] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, performance.now() - connection.sentAt);
    idle.push(connection);
  });
  socket.on('error', () => (statuses.error = (statuses.error ?? 0) + 1));
  return new Promise((resolve) => socket.once('connect', resolve));
}

function attempt() {
  const connection = idle.shift();
  const body = JSON.stringify({ username: `x${offered}`, password: 'not the password' });
  connection.sentAt = performance.now();
  connection.socket.write(
    `POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nX-Auth-Transport: body\r\n` +
      `X-Forwarded-For: 203.0.113.${offered % 200}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  offered++;
}

await Promise.all(Array.from({ length: CONNECTIONS }, connect));
const begun = performance.now();
await new Promise((resolve) => {
  const timer = setInterval(() => {
    const elapsed = (performance.now() - begun) / 1000;
    if (elapsed > seconds) {
      clearInterval(timer);
      resolve();
      return;
    }
    // What is late, since this process had to wait for a core, comes as fast as a link would bring it: not all at once.
    for (let burst = 0; burst < BURST && offered < elapsed * perSecond && idle.length > 0; burst++) attempt();
  }, 1);
});
const offeredPerSecond = Math.round(offered / ((performance.now() - begun) / 1000));
const patience = performance.now() + 5000;
while (idle.length < open && performance.now() < patience) await new Promise((resolve) => setTimeout(resolve, 20));
statuses.unanswered = open - idle.length;
process.stdout.write(
  JSON.stringify({ offered, offeredPerSecond, connections: CONNECTIONS, statuses, slowestMs: Math.round(slowestMs) }),
  () => process.exit(),
);
