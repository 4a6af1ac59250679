import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { packageRoot } from '../common/package-root.js';
import { type SettingName, secretNames, settings } from './config.schema.js';

const HEADER = `# The settings of Latchkey, each with its default. Copy this file to .env and change what you need.
# Made from src/config/config.schema.ts by \`node dist/cli.js env-example\`: change it there.
#
# A variable of the environment wins over this file. Each setting can also be a file, as container
# engines mount secrets: name it in NAME_FILE (JWT_SECRET_FILE=/etc/latchkey/jwt), or put it at
# /run/secrets/name_in_lower_case (/run/secrets/jwt_secret). Everything is read and checked once, at
# start; all mistakes are listed together.`;

interface Meta {
  group: string;
  description: string;
}

/** The text of `.env.example`: every setting once, commented out, by group, with its meaning and default. */
export function renderEnvExample(): string {
  const groups = new Map<string, string[]>();
  for (const [name, schema] of Object.entries(settings.shape) as [
    SettingName,
    (typeof settings.shape)[SettingName],
  ][]) {
    const { group, description } = schema.meta() as unknown as Meta;
    const comment = secretNames.includes(name) ? `Secret. ${description}` : description;
    groups.set(group, [...(groups.get(group) ?? []), `# ${comment}\n# ${name}=${defaultOf(schema)}`]);
  }
  const sections = [...groups].map(([group, entries]) => `## ${group}\n\n${entries.join('\n\n')}`);
  return `${[HEADER, ...sections].join('\n\n')}\n`;
}

/** The default as one would write it in a file; nothing where there is none. */
function defaultOf(schema: (typeof settings.shape)[SettingName]): string {
  const { data } = schema.safeParse(undefined);
  if (data === undefined) return '';
  if (data === null) return 'off';
  if (Array.isArray(data)) return data.join(',');
  if (typeof data === 'object') return `${data.limit}/${data.seconds}`;
  return String(data);
}

export function writeEnvExample(file = path.join(packageRoot, '.env.example')): void {
  writeFileSync(file, renderEnvExample());
}
