// A small HTTP/1.1 load driver: keep-alive connections, each with one request in flight. It writes
// ready-made text to plain sockets, so that it takes little of the cores that the servers need.
import net from 'node:net';

/**
 * Drives `connections` of a server on 127.0.0.1 for `ms` milliseconds (or `count` requests in all).
 * `next(i)` gives connection i's request as text; `answered(i, head, body)` sees each answer, which
 * must be a 200. Resolves with how many were answered, and in how many seconds.
 */
export async function drive({ port, connections, ms = Infinity, count = Infinity, next, answered }) {
  let sent = 0;
  let done = 0;
  const begun = performance.now();
  const end = begun + ms;
  const run = (index) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      let received = '';
      const send = () => {
        if (sent >= count || performance.now() >= end) {
          socket.destroy();
          resolve();
          return;
        }
        sent++;
        socket.write(next(index), 'latin1');
      };
      socket.setEncoding('latin1');
      socket.on('connect', send);
      socket.on('data', (chunk) => {
        received = received === '' ? chunk : received + chunk;
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const head = received.slice(0, headEnd);
        const length = /\r\ncontent-length: (\d+)/i.exec(head);
        if (!length) return void socket.destroy(new Error(`an answer without Content-Length:\n${head}`));
        if (received.length < headEnd + 4 + Number(length[1])) return;
        const body = received.slice(headEnd + 4);
        received = '';
        if (!head.startsWith('HTTP/1.1 200 ')) return void socket.destroy(new Error(`not a 200:\n${head}\n${body}`));
        done++;
        try {
          answered(index, head, body);
          send();
        } catch (error) {
          socket.destroy(error);
        }
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server closed a connection'))); // of no effect once resolved
    });
  await Promise.all(Array.from({ length: connections }, (_, index) => run(index)));
  return { done, seconds: (performance.now() - begun) / 1000 };
}
