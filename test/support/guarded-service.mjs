// A service of its own, as a user of @latchkey/verifier writes it: GET / is for whoever may read users.
import http from 'node:http';

import { expressGuard, requirePermissions } from '../../packages/verifier/dist/guards/express.js';
import { createVerifier } from '../../packages/verifier/dist/index.js';

const verifier = createVerifier(JSON.parse(process.env.VERIFIER));
const guard = expressGuard(verifier, { require: requirePermissions('users:read') });
const server = http.createServer((request, response) => guard(request, response, () => response.end('{}')));
if (!(await verifier.ready())) throw new Error('no revocations were heard');
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
