// A service on Express. In a project of yours the imports are '@latchkey/verifier' and '@latchkey/verifier/express'.
import express from 'express';

import { createVerifier } from '../../packages/verifier/dist/index.js';
import { expressGuard, requireRole } from '../../packages/verifier/dist/guards/express.js';

const verifier = createVerifier(JSON.parse(process.env.VERIFIER));
await verifier.ready();

const app = express();
app.get('/orders', expressGuard(verifier), (request, response) => {
  response.json({ orders: [], of: request.auth.username });
});
app.get('/admin', expressGuard(verifier, { require: requireRole('admin') }), (_request, response) => {
  response.json({});
});
app.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('ready'));
