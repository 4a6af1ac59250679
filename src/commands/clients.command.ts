import type { Command } from 'commander';

import type { ClientActions, TypedGrants } from './client-actions.js';

/** Starts the service's classes on the configured database, and runs `work` with what the commands do. */
export type RunClientActions = (work: (actions: ClientActions) => Promise<void>) => Promise<void>;

const CLIENT = ['<client>', 'name or id'] as const;

/** `latchkey clients …`: services that authenticate as themselves. */
export function addClientsCommand(program: Command, run: RunClientActions): void {
  const clients = program.command('clients').description('services that authenticate as themselves');

  clients
    .command('create')
    .description('make a client, and show its id and secret; the secret is shown this once')
    .argument('<name>', 'what to call it')
    .option('-s, --scope <scope...>', 'what its tokens may allow')
    .option('-a, --audience <audience...>', 'whom its tokens may be for; without any it gets none')
    .option('--serves <audience...>', 'whose tokens it may introspect (default: those for JWT_AUDIENCE)')
    .option('--jwks <file>', 'a JWK Set with its public keys, for private_key_jwt; it then gets no secret')
    .addHelpText(
      'after',
      `
A service that follows revocations and introspects the tokens of users:
  latchkey clients create shop
One that calls another, and gets its token:
  latchkey clients create billing --scope invoices:read --audience https://invoices.example.com
  curl localhost:3000/oauth/token -u <client_id>:<client_secret> -d grant_type=client_credentials
docs/services.md has the rest.`,
    )
    .action((name: string, grants: TypedGrants) => run((actions) => actions.create(name, grants)));

  clients
    .command('list')
    .description('clients, newest first')
    .option('-n, --limit <n>', 'how many at most', '50')
    .action(({ limit }: { limit: string }) => run((actions) => actions.list(limit)));

  clients
    .command('rotate')
    .description('give a client another secret, and show it this once; the one before stays good for a while')
    .argument(...CLIENT)
    .option(
      '-o, --overlap <hours>',
      'for how long; 0: it is known to somebody else, so it and its tokens end now',
      '24',
    )
    .action((client: string, { overlap }: { overlap: string }) => run((actions) => actions.rotate(client, overlap)));

  clients
    .command('disable')
    .description('disable a client for good; services that follow the feed refuse its tokens within a second')
    .argument(...CLIENT)
    .action((client: string) => run((actions) => actions.disable(client)));
}
