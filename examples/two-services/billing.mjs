// A service on plain node:http. In a project of yours the import is '@latchkey/verifier'.
import { createServer } from 'node:http';

import { createVerifier } from '../../packages/verifier/dist/index.js';

const verifier = createVerifier({ ...JSON.parse(process.env.VERIFIER), onStale: 'reject' });
await verifier.ready();

createServer(async (request, response) => {
  const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  try {
    const { username } = await verifier.verify(token);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ balance: 0, of: username }));
  } catch (error) {
    response.writeHead(error.code === 'verifier_stale' ? 503 : 401, { 'WWW-Authenticate': 'Bearer' }).end(error.code);
  }
}).listen(Number(process.env.PORT), '127.0.0.1', () => process.send('ready'));
