import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { Database } from '../dist/database/database.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { entities } from '../dist/entities.js';

/**
 * One PostgreSQL for the run, and in it one migrated database that every test file copies. A server
 * named by TEST_DATABASE_URL (or DATABASE_URL) is used instead; its own databases are left alone.
 */
export default async function setUp() {
  const given = process.env.TEST_DATABASE_URL || process.env.DATABASE_URL;
  const folder = given ? undefined : mkdtempSync(path.join(tmpdir(), 'latchkey-test-'));
  const embedded = folder && (await startEmbeddedPostgres(folder, { durable: false, maxConnections: 200 }));
  const adminUrl = given || embedded.url;
  const template = `latchkey_test_${process.pid}`;

  // Known to the teardown at once: it has to clean up also when the migrations fail.
  globalThis.latchkeyTest = { folder, embedded, adminUrl, template };

  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${template}`);
  await admin.end();

  // By hand: URL parses no address of a unix socket, which has no host.
  const url = adminUrl.replace(/^(\w+:\/\/[^/]*)(\/[^?]*)?/, `$1/${template}`);
  const database = new Database({ url, poolSize: 2, entities });
  try {
    await database.connect();
  } finally {
    await database.close(); // PostgreSQL copies no database that somebody is connected to
  }

  process.env.TEST_DATABASE_ADMIN_URL = adminUrl;
  process.env.TEST_TEMPLATE = template;
}
