import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

import pg from 'pg';

/** Rows of these come, and never change: that is what makes an audit believable. */
const APPEND_ONLY = ['audit_events'];
/** What the owner alone writes. */
const READ_ONLY = ['migrations'];

const TABLES = `
  select relname as name from pg_class
   where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition`;

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

  const { rows: tables } = await owner.query<{ name: string }>(TABLES);
  const { rows: place } = await owner.query<{ schema: string }>('select current_schema() as schema');
  const schema = pg.escapeIdentifier(place[0].schema);
  await owner.query(
    [
      'begin',
      `revoke all on all tables in schema ${schema} from ${role}`,
      `revoke create on schema ${schema} from public, ${role}`,
      `grant usage on schema ${schema} to ${role}`,
      ...tables.map(({ name }) => `grant ${rightsOn(name)} on ${pg.escapeIdentifier(name)} to ${role}`),
      `grant execute on function create_audit_partitions(integer) to ${role}`,
      'commit',
    ].join(';'),
  );
}

function rightsOn(table: string): string {
  if (READ_ONLY.includes(table)) return 'select';
  return APPEND_ONLY.includes(table) ? 'select, insert' : 'select, insert, update, delete';
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
