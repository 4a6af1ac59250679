import { createVerifier } from '../../packages/verifier/dist/index.js';

/**
 * A service in a process of its own, with @latchkey/verifier. It takes settings, and then messages `{ id, token }`, and answers
 * each with `{ id, code, at }`: null for a token that it believes, and when it said so.
 */
process.once('message', async (settings) => {
  const verifier = createVerifier(settings);
  await verifier.ready();
  process.on('message', async ({ id, token }) => {
    const code = await verifier.verify(token).then(
      () => null,
      (error) => `${error.code}: ${error.reason}`,
    );
    process.send({ id, code, at: Date.now() });
  });
  process.send('ready');
});
