import type { Command } from 'commander';

import { addImportCommand, type ImportFlags } from './import.command.js';
import type { UserActions } from './user-actions.js';

/** Starts the service's classes on the configured database, and runs `work` with what the commands do. */
export type RunActions = (work: (actions: UserActions) => Promise<void>) => Promise<void>;

const USER = ['<user>', 'username, e-mail address or id'] as const;

/** `latchkey users …`: what the administration API does, for whoever has the machine. */
export function addUsersCommand(
  program: Command,
  run: RunActions,
  importFile: (file: string, flags: ImportFlags) => Promise<void>,
): void {
  const users = program.command('users').description('accounts: what administrators do, from the command line');

  users
    .command('create')
    .description('make an account, and show the link token by which its owner chooses a password')
    .argument('<username>', 'what it is called')
    .argument('<email>', 'its address')
    .option('-r, --role <role...>', 'its roles', ['user'])
    .addHelpText(
      'after',
      `
The first administrator:
  latchkey users create ada ada@example.com --role user admin
The password is chosen with the token:
  curl localhost:3000/auth/reset-password -H 'X-Auth-Transport: body' --json '{"token":"…","new_password":"…"}'`,
    )
    .action((name: string, address: string, { role }: { role: string[] }) =>
      run((actions) => actions.create(name, address, role)),
    );

  users
    .command('list')
    .description('accounts, newest first')
    .option('-s, --search <text>', 'how a username or e-mail address begins')
    .option('-r, --role <role>', 'whoever has this role')
    .option('-n, --limit <n>', 'how many at most', '50')
    .action(({ limit, ...filter }: { search?: string; role?: string; limit: string }) =>
      run((actions) => actions.list(filter, limit)),
    );

  const ofOne: [name: string, description: string, work: (actions: UserActions, user: string) => Promise<void>][] = [
    ['show', 'an account', (actions, user) => actions.show(user)],
    ['disable', 'disable an account; its sessions end', (actions, user) => actions.setActive(user, false)],
    ['enable', 'let a disabled account sign in again', (actions, user) => actions.setActive(user, true)],
    ['unlock', 'release an account from its locks', (actions, user) => actions.unlock(user)],
    ['link', 'show a link token by which the user chooses a new password', (actions, user) => actions.link(user)],
    ['reset-factors', 'take all second factors away; the sessions end', (actions, user) => actions.resetFactors(user)],
    [
      'export',
      'all that the service knows of a user, without secrets, as JSON',
      (actions, user) => actions.export(user),
    ],
  ];
  for (const [name, description, work] of ofOne) {
    users
      .command(name)
      .description(description)
      .argument(...USER)
      .action((user: string) => run((actions) => work(actions, user)));
  }

  addImportCommand(users, importFile);

  users
    .command('delete')
    .description('delete an account for good; the audit log keeps its id')
    .argument(...USER)
    .requiredOption('-y, --yes', 'really: there is no way back')
    .action((user: string) => run((actions) => actions.delete(user)));
}

/** `latchkey sessions …` */
export function addSessionsCommand(program: Command, run: RunActions): void {
  const sessions = program.command('sessions').description('where people are signed in');
  sessions
    .command('revoke')
    .description('end all sessions of a user; services that follow the feed refuse them within a second')
    .argument(...USER)
    .action((user: string) => run((actions) => actions.endSessions(user)));
}
