import { rmSync } from 'node:fs';

import pg from 'pg';

/** Stops the PostgreSQL of the run, or drops from a given server what the run made there. */
export default async function tearDown() {
  const { folder, embedded, adminUrl, template } = globalThis.latchkeyTest ?? {};
  if (embedded) {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  } else if (adminUrl) {
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    // The template, and the copies of test files that were ended before they could drop theirs.
    const { rows } = await admin.query(
      'select datname from pg_database where datname = $1 or starts_with(datname, $2)',
      [template, `${template}_`],
    );
    for (const { datname } of rows) await admin.query(`drop database if exists ${datname} with (force)`);
    await admin.query(`drop role if exists ${template}_service`);
    await admin.end();
  }
}
