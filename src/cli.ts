#!/usr/bin/env node
import type { INestApplicationContext } from '@nestjs/common';
import { Command } from 'commander';

import { keepHeapSmall, keepYoungGenerationSmall, letYoungGenerationGrow } from './common/heap.js';
import type { RequestSource } from './common/request-source.js';
import { addClientsCommand } from './commands/clients.command.js';
import { Output } from './commands/output.js';
import { addKeysCommand } from './commands/keys.command.js';
import { addSessionsCommand, addUsersCommand, type RunActions } from './commands/users.command.js';
import { ConfigError, environment, loadConfig } from './config/config.js';

/** 1: it could not be done, and standard error says why. 2: it was called wrongly. */
const EXIT = { failed: 1, usage: 2 } as const;

const program = new Command('latchkey')
  .description('A standalone auth service: sign-in, rotating sessions, JWTs that other services verify by themselves.')
  .option('--json', 'say it as JSON')
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.usage));

const isJson = (): boolean => program.opts<{ json?: boolean }>().json === true;

program
  .command('serve')
  .description('run the service; without DATABASE_URL on an embedded PostgreSQL')
  .action(async () => {
    keepYoungGenerationSmall();
    const config = loadConfig({ env: environment() });
    const { serve } = await import('./main.js');
    await serve(config);
    letYoungGenerationGrow();
  });

program
  .command('migrate')
  .description('bring the database to this build’s schema, and say what was applied')
  .action(async () => {
    const config = loadConfig({ env: environment() });
    const { migrateOnce } = await import('./headless.js');
    const applied = await migrateOnce(config);
    const output = new Output(isJson());
    if (output.isJson) output.json({ applied });
    else if (applied.length === 0) process.stdout.write('Nothing to do: the schema is current.\n');
    else process.stdout.write(`Applied:\n${applied.map((name) => `  ${name}\n`).join('')}`);
  });

program
  .command('breach')
  .description('work with lists of breached passwords')
  .command('build')
  .description('make the filter for PASSWORD_BREACH_FILE from a list of SHA-1 hashes, one a line (HASH or HASH:COUNT)')
  .argument('<list>', 'the list, as downloaded')
  .argument('<file>', 'the filter to write')
  .option('--min-count <n>', 'leave out what was seen less often', '1')
  .action(async (list: string, file: string, { minCount }: { minCount: string }) => {
    const [{ buildBreachFilter }, { Progress }] = await Promise.all([
      import('./passwords/policy/breach-filter.js'),
      import('./commands/progress.js'),
    ]);
    const progress = new Progress();
    const onProgress = (done: number, total: number) => progress.show('reading', done, total);
    const options = { minCount: Number(minCount), onProgress };
    const { read, kept, bad } = await buildBreachFilter(list, file, options).finally(() => progress.end());
    new Output(isJson()).item({ file, read, kept, bad });
  });

/** Runs `work` with what `make` gives, on the service's own classes and the configured database. */
async function runHeadless<T>(
  make: () => Promise<new (app: INestApplicationContext, output: Output, source: RequestSource) => T>,
  work: (actions: T) => Promise<void>,
): Promise<void> {
  const config = loadConfig({ env: environment() });
  const [{ COMMAND_LINE, withService }, Actions] = await Promise.all([import('./headless.js'), make()]);
  await withService(config, (app) => work(new Actions(app, new Output(isJson()), COMMAND_LINE)));
}
const runActions: RunActions = (work) =>
  runHeadless(async () => (await import('./commands/user-actions.js')).UserActions, work);
addUsersCommand(program, runActions, async (file, flags) => {
  const config = loadConfig({ env: environment() });
  keepHeapSmall();
  const [{ COMMAND_LINE, withImporter }, { importUsers }] = await Promise.all([
    import('./headless.js'),
    import('./commands/import-action.js'),
  ]);
  const output = new Output(isJson());
  const isWell = await withImporter(config, (importer) => importUsers(importer, output, COMMAND_LINE, file, flags));
  if (!isWell) process.exitCode = EXIT.failed;
});
addSessionsCommand(program, runActions);

addKeysCommand(program, (work) =>
  runHeadless(async () => (await import('./commands/key-actions.js')).KeyActions, work),
);

program
  .command('doctor')
  .description('what is wrong with the configuration, the database and what else is needed, and what to do')
  .addHelpText(
    'after',
    '\nChanges nothing, but makes DATA_DIR where there is none. Exit code 0: nothing is wrong; there may be warnings.',
  )
  .action(async () => {
    const { examine } = await import('./commands/doctor.command.js');
    const isWell = await examine(environment(), new Output(isJson()));
    if (!isWell) process.exitCode = EXIT.failed;
  });

addClientsCommand(program, (work) =>
  runHeadless(async () => (await import('./commands/client-actions.js')).ClientActions, work),
);

program
  .command('openapi', { hidden: true })
  .description('write openapi.yaml from the code')
  .argument('[file]', 'another place to write it')
  .action(async (file?: string) => {
    const { writeOpenApi } = await import('./openapi.js');
    await writeOpenApi(file);
  });

program
  .command('env-example', { hidden: true })
  .description('write .env.example from the settings')
  .argument('[file]', 'another place to write it')
  .action(async (file?: string) => {
    const { writeEnvExample } = await import('./config/env-example.js');
    writeEnvExample(file);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`latchkey: ${error instanceof ConfigError ? error.toString() : (error as Error).message}\n`);
  process.exit(EXIT.failed);
}
