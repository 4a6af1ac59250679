import type { Command } from 'commander';

import { FORMATS } from '../import/formats/formats.js';

/** As the command line has them. */
export interface ImportFlags {
  readonly format?: string;
  readonly dryRun?: boolean;
  readonly skipBad?: boolean;
  readonly report?: string;
  readonly again?: boolean;
  readonly createRoles?: boolean;
  readonly mapRole?: string[];
  readonly allowPrivileged?: boolean;
  readonly allowNoPassword?: boolean;
  readonly keepIds?: boolean;
  readonly firebaseHash?: string;
}

/** `latchkey users import <file>`. */
export function addImportCommand(users: Command, run: (file: string, flags: ImportFlags) => Promise<void>): void {
  users
    .command('import')
    .description('accounts of another system, with passwords, second factors and roles: docs/import.md')
    .argument('<file>', 'its export, or CSV or JSON Lines')
    .option(
      '-f, --format <name>',
      `what it is, where it is not recognised: ${FORMATS.map(({ name }) => name).join(', ')}`,
    )
    .option('-n, --dry-run', 'look at all of it, say what is bad, and write nothing')
    .option('--skip-bad', 'import the good rows where there are bad ones; else nothing is imported then')
    .option('--report <file>', 'write the bad rows there instead of to standard error')
    .option('--create-roles', 'make roles that are missing, without permissions')
    .option('--map-role <old=new...>', 'what roles of the file are called here; old= leaves one out')
    .option('--allow-privileged', 'let rows give roles that may administer this service')
    .option('--allow-no-password', 'import accounts without a password; their owners choose one by a link')
    .option('--keep-ids', 'let accounts keep the UUIDs they have')
    .option('--firebase-hash <file>', 'the hash parameters of the Firebase project, as its console shows them')
    .option('--again', 'import a file once more that was imported')
    .addHelpText(
      'after',
      `
First look, then import:
  latchkey users import users.csv --dry-run
  latchkey users import users.csv
Killed half-way, the same command goes on where it was. Exit code 1: there were bad rows, and nothing was imported.`,
    )
    .action(run);
}
