// A service with @latchkey/verifier, as a process of its own: told by its parent which token to watch, it says when
// that was refused, on the clock that all processes of a machine share.
import { createVerifier } from '../packages/verifier/dist/index.js';

const options = JSON.parse(process.argv[2]);
const verifier = createVerifier(options);
await verifier.ready();

process.on('message', ({ token }) => {
  const look = () => {
    try {
      verifier.verifySync(token);
      setTimeout(look, 0);
    } catch (error) {
      process.send({ refusedAt: String(process.hrtime.bigint()), code: error.code });
    }
  };
  look();
  process.send({ watching: true });
});
process.send({ ready: true });
