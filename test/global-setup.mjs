import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { Database } from '../dist/database/database.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { entities } from '../dist/entities.js';

/**
 * One PostgreSQL for the run, and in it one migrated database that every test file copies, and a role for the service. A server
 * named by TEST_DATABASE_URL (or DATABASE_URL) is used instead; its own databases are left alone.
 */
export default async function setUp() {
  const given = process.env.TEST_DATABASE_URL || process.env.DATABASE_URL;
  const folder = given ? undefined : mkdtempSync(path.join(tmpdir(), 'latchkey-test-'));
  const embedded = folder && (await startEmbeddedPostgres(folder, { durable: false, maxConnections: 200 }));
  const adminUrl = given || embedded.ownerUrl;
  const template = `latchkey_test_${process.pid}`;

  // Known to the teardown at once: it has to clean up also when the migrations fail.
  globalThis.latchkeyTest = { folder, embedded, adminUrl, template };

  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${template}`);
  await admin.end();

  // By hand: URL parses no address of a unix socket, which has no host.
  const ownerUrl = adminUrl.replace(/^(\w+:\/\/[^/]*)(\/[^?]*)?/, `$1/${template}`);
  const service = `${template}_service:${randomBytes(12).toString('hex')}`;
  const database = new Database({ url: asService(ownerUrl, service), ownerUrl, poolSize: 2, entities });
  try {
    await database.connect();
  } finally {
    await database.close(); // PostgreSQL copies no database that somebody is connected to
  }

  process.env.TEST_DATABASE_ADMIN_URL = adminUrl;
  process.env.TEST_TEMPLATE = template;
  process.env.TEST_DATABASE_SERVICE = service;
}

const asService = (url, service) => url.replace(/^(\w+:\/\/)([^@/]*@)?/, `$1${service}@`);
