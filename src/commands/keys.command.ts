import { type Command, Option } from 'commander';

import { algorithms } from '../keys/new-key.js';
import type { KeyActions } from './key-actions.js';

/** Starts the service's classes on the configured database, and runs `work` with what the commands do. */
export type RunKeyActions = (work: (actions: KeyActions) => Promise<void>) => Promise<void>;

const KID = ['<kid>', 'the key, by its id'] as const;

/** `latchkey keys …`: the keys that sign access tokens. No replica needs a restart for any of it. */
export function addKeysCommand(program: Command, run: RunKeyActions): void {
  const keys = program
    .command('keys')
    .description('keys that sign access tokens: make, publish, activate, retire; nobody is signed out')
    .addHelpText(
      'after',
      `
A rotation, without a restart:
  latchkey keys generate --alg EdDSA     it is published; verifiers learn it
  latchkey keys activate <kid>           ten minutes later: it signs
  latchkey keys retire <kid of before>   it verifies until its last token has ended
Somebody else has a key:
  latchkey keys retire <kid> --compromised
A kid that begins with - comes last, after --.
docs/runbooks/rotate-signing-keys.md has each step, what to watch, and how to undo it.`,
    );

  keys
    .command('generate')
    .description('make a key and publish it; it signs nothing yet')
    .addOption(new Option('-a, --alg <algorithm>', 'what it signs by').choices(algorithms).default('EdDSA'))
    .option('--audience <aud>', 'the only audience that it signs for, and is believed for')
    .addHelpText(
      'after',
      `
EdDSA, ES256, RS256: key pairs. Services verify with the public half, by /.well-known/jwks.json.
HS256, HS384, HS512: shared keys. Whoever holds one can also make tokens: at most one service beside this one
(OWASP ASVS 11.1.1), or one key for each service, by --audience. latchkey keys export shows it, to hand it on.`,
    )
    .action(({ alg, audience }: { alg: (typeof algorithms)[number]; audience?: string }) =>
      run((actions) => actions.generate(alg, audience ?? null)),
    );

  keys
    .command('list')
    .description('all keys: those of the database, oldest first, and those of JWT_SECRET and JWT_KEYS_FILE')
    .addHelpText(
      'after',
      `
published  verifies, and waits to sign     retired      verifies until its last token has ended
signing    signs and verifies              compromised  refused
active     would sign next; verifies       destroyed    history
verifying  verifies alone (settings)       unreadable   sealed under another MASTER_SECRET`,
    )
    .action(() => run((actions) => actions.list()));

  keys
    .command('activate')
    .description('let a published key sign; an active one too, which takes the last activation back')
    .argument(...KID)
    .option('--now', 'also before all verifiers can know it: those with an older JWKS have to fetch it')
    .action((kid: string, { now }: { now?: boolean }) => run((actions) => actions.activate(kid, now === true)));

  keys
    .command('retire')
    .description('let a key sign no more')
    .argument(...KID)
    .option('--compromised', 'refuse all that it signed, at once and everywhere; another key takes over')
    .addOption(
      new Option('--secret-lost', 'the MASTER_SECRET that sealed it is lost, and the service cannot start').conflicts(
        'compromised',
      ),
    )
    .addHelpText(
      'after',
      `
Without --compromised nobody notices. With it people's next request is refused once, and refreshed: they stay signed in.
Services that follow the revocation feed refuse the key within a second; others have to take it out by hand.
With --compromised a kid that no key has is refused from then on too: of one that was taken out of the settings already. Mind typing errors.
--secret-lost is for keys that are unreadable, with the new secret set: the next start makes another key where none is left.
While a service runs, its secret is not lost: use that one.`,
    )
    .action((kid: string, { compromised, secretLost }: { compromised?: boolean; secretLost?: boolean }) =>
      run((actions) => {
        if (compromised) return actions.compromise(kid);
        return secretLost ? actions.forget(kid) : actions.retire(kid);
      }),
    );

  keys
    .command('export')
    .description('show a shared key as a JWK, to hand it to the service that verifies with it; audited')
    .argument(...KID)
    .action((kid: string) => run((actions) => actions.export(kid)));
}
