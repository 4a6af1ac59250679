import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

import pg from 'pg';

const ALL = 'select, insert, update, delete';

/**
 * Each table of ours, and what the service does with its rows. Whatever else is in the schema is none of our business. A test holds this
 * against the migrations.
 */
export const SERVICE_RIGHTS: Readonly<Record<string, string>> = {
  // What the owner alone writes.
  migrations: 'select',
  // Rows come, and never change: that is what makes an audit believable.
  audit_events: 'select, insert',
  client_secrets: ALL,
  clients: ALL,
  half_way_sign_ins: ALL,
  last_start: 'select, insert, update',
  login_counters: ALL,
  one_time_links: ALL,
  passkeys: ALL,
  recovery_codes: ALL,
  revocations: ALL,
  roles: ALL,
  sessions: ALL,
  signing_keys: ALL,
  spent_assertions: ALL,
  spent_challenges: ALL,
  totp_authenticators: ALL,
  user_devices: ALL,
  user_imports: ALL,
  users: ALL,
};

/**
 * Gives the role that `serviceUrl` names what the service does, and nothing more: it cannot create, alter or drop, nor change an
 * audit row. `owner` is a connection of the role that owns the schema, holding the lock of migrations. The role is made where
 * it is missing, and `owner` may make one.
 * @throws where it is missing and may not be made
 */
export async function grantService(owner: pg.Client, serviceUrl: string): Promise<void> {
  const { user, password } = new pg.Client({ connectionString: serviceUrl });
  if (!user || user === owner.user) return;
  const role = pg.escapeIdentifier(user);
  await ensureRole(owner, user, password as string | null);

  const { rows: place } = await owner.query<{ schema: string }>('select current_schema() as schema');
  const schema = pg.escapeIdentifier(place[0].schema);
  await owner.query(
    [
      'begin',
      `revoke create on schema ${schema} from public, ${role}`,
      `grant usage on schema ${schema} to ${role}`,
      ...Object.entries(SERVICE_RIGHTS).flatMap(([table, rights]) => [
        `revoke all on ${table} from ${role}`,
        `grant ${rights} on ${table} to ${role}`,
      ]),
      `grant execute on function create_audit_partitions(integer) to ${role}`,
      'commit',
    ].join(';'),
  );
}

/** 42710 and 23505: another database of this server is being set up, and was faster. */
async function ensureRole(owner: pg.Client, name: string, password: string | null): Promise<void> {
  const { rows } = await owner.query('select from pg_roles where rolname = $1', [name]);
  if (rows.length > 0) return;
  const secret = password ? ` password ${pg.escapeLiteral(scramVerifier(password))}` : '';
  try {
    await owner.query(`create role ${pg.escapeIdentifier(name)} login${secret}`);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === '42710' || code === '23505') return;
    throw new Error(`the role ${name} of DATABASE_URL is missing and could not be made: ${message}`);
  }
}

const SCRAM_ITERATIONS = 4096;

/** As the server would store it (RFC 5802, section 3; RFC 7677), so that no statement log ever sees the password. ASCII alone: SASLprep changes nothing there. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
