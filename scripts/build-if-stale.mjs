// Builds when `dist` is missing or older than the sources, so that `npm start` is quick otherwise.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const newest = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((latest, entry) => Math.max(latest, statSync(path.join(entry.parentPath, entry.name)).mtimeMs), 0);

/** Runs a tool of ours where `built` is missing or older than `sources` and the settings. */
function keepBuilt(built, sources, settings, tool, ...args) {
  const output = path.join(root, built);
  const latest = Math.max(
    newest(path.join(root, sources)),
    ...settings.map((file) => statSync(path.join(root, file)).mtimeMs),
  );
  if (existsSync(output) && statSync(output).mtimeMs >= latest) return;
  execFileSync(process.execPath, [path.join(root, 'node_modules', tool), ...args], { cwd: root, stdio: 'inherit' });
}

const settings = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
const verifier = 'packages/verifier';
keepBuilt(
  `${verifier}/dist/index.js`,
  `${verifier}/src`,
  [`${verifier}/tsconfig.json`],
  'typescript/bin/tsc',
  '-p',
  verifier,
);
keepBuilt('dist/cli.js', 'src', settings, '@nestjs/cli/bin/nest.js', 'build');
