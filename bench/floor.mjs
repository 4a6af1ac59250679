// What the floors of the benches share: bare node:http around their handlers.
import http from 'node:http';

/** Serves POST at `routes`, by path, and `/health/ready`, until SIGTERM. */
export function serveFloor({ host, port }, database, routes) {
  const server = http.createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    if (request.url === '/health/ready') return refuse(response, 200);
    const route = request.method === 'POST' ? routes[request.url] : undefined;
    if (!route) return refuse(response, 404);
    route(request, response).catch((error) => {
      process.stderr.write(`floor: ${error.stack}\n`);
      refuse(response, 500);
    });
  });
  server.listen(port, host);
  process.on('SIGTERM', () => {
    server.close(() => void database.close().then(() => process.exit(0)));
    server.closeAllConnections();
  });
}

/** The body of a request, as text. */
export function textOf(request) {
  return new Promise((resolve) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => resolve(body));
  });
}

/** Answers with JSON; `headers` besides. */
export function answerJson(response, value, headers = {}) {
  const text = JSON.stringify(value);
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(text);
}

/** Answers with a status alone. */
export const refuse = (response, status) => response.writeHead(status, { 'Content-Length': 0 }).end();
