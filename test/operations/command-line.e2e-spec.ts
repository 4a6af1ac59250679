import { execFile } from 'node:child_process';
import path from 'node:path';

import { ServiceProcess } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';

const newFolder = temporaryFolders();

interface Ran {
  code: number;
  out: string;
  err: string;
}

describe('the command line', () => {
  let folder: string;
  let service: ServiceProcess;
  let url: string;
  beforeAll(async () => {
    folder = newFolder();
    service = ServiceProcess.start(
      {
        PORT: '0',
        DATA_DIR: folder,
        ADMIN_USERNAME: 'root',
        ADMIN_EMAIL: 'root@example.com',
        ADMIN_PASSWORD: 'a-password-to-be-changed',
      },
      { cwd: folder },
    );
    url = await service.url();
  });
  afterAll(() => service?.stop());

  /** `latchkey <args>` on the database of the running service. */
  const latchkey = (...args: string[]) =>
    new Promise<Ran>((resolve) => {
      const env = { PATH: process.env.PATH, DATA_DIR: folder };
      execFile(process.execPath, [path.resolve('dist/cli.js'), ...args], { cwd: folder, env }, (error, out, err) =>
        resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
      );
    });
  const json = async <T>(...args: string[]) => JSON.parse((await latchkey('--json', ...args)).out) as T;

  const post = async (route: string, body: object, token?: string) => {
    const response = await fetch(url + route, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-auth-transport': 'body',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('the first start made the administrator that ADMIN_* name, who must change the password', async () => {
    const login = await post('/auth/login', { username: 'root', password: 'a-password-to-be-changed' });
    expect(login.body.user).toMatchObject({ roles: ['admin', 'user'], must_change_password: true });
    expect(service.text).not.toContain('a-password-to-be-changed');
  });

  it('makes an account, whose owner chooses the password by the link', async () => {
    const made = await json<{ id: string; link_token: string }>(
      'users',
      'create',
      'ada',
      'ada@example.com',
      '--role',
      'user',
      'admin',
    );
    const password = 'correct-horse-battery';
    expect((await post('/auth/reset-password', { token: made.link_token, new_password: password })).status).toBe(200);
    const login = await post('/auth/login', { username: 'ada', password });
    expect(login.body.user).toMatchObject({ id: made.id, roles: ['admin', 'user'] });

    const { out } = await latchkey('users', 'show', 'ADA@example.com');
    expect(out).toMatch(/^username +ada$/m);
    expect((await json<{ username: string }[]>('users', 'list')).map(({ username }) => username)).toEqual([
      'ada',
      'root',
    ]);
    expect(await json<object[]>('users', 'list', '--search', 'nobody')).toEqual([]);

    expect(await json<object>('sessions', 'revoke', 'ada')).toEqual({ revoked: 1 });
    const me = await fetch(`${url}/auth/me`, {
      headers: { authorization: `Bearer ${login.body.access_token as string}` },
    });
    expect(me.status).toBe(401);

    expect(await json<object>('users', 'disable', 'ada')).toMatchObject({ is_active: false });
    expect((await post('/auth/login', { username: 'ada', password })).status).toBe(403);
    expect(await json<object>('users', 'enable', made.id)).toMatchObject({ is_active: true });
    expect(await json<object>('users', 'unlock', 'ada')).toEqual({ released: 2 }); // of the sign-in while it was disabled
    const data = await json<{ profile: object; activity: object[] }>('users', 'export', 'ada');
    expect(data.profile).toMatchObject({ username: 'ada' });
    expect(JSON.stringify(data)).not.toContain('argon2');
  });

  it('deletes when it is told so twice, and never the last administrator', async () => {
    await latchkey('users', 'create', 'bob', 'bob@example.com');
    expect((await latchkey('users', 'delete', 'bob')).code).toBe(2);
    expect((await latchkey('users', 'delete', 'bob', '--yes')).code).toBe(0);
    expect(await latchkey('users', 'show', 'bob')).toMatchObject({
      code: 1,
      err: 'latchkey: there is no account bob\n',
    });
    for (const { username } of (await json<{ username: string }[]>('users', 'list', '--role', 'admin')).slice(1))
      await latchkey('users', 'delete', username, '--yes');
    const [last] = await json<{ username: string }[]>('users', 'list', '--role', 'admin');
    const refused = await latchkey('users', 'disable', last.username);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('Nobody else could administer the service.');
  });

  it('makes clients, lists them, rotates their secrets and disables them', async () => {
    interface Made {
      client_id: string;
      client_secret: string;
    }
    const audience = 'https://invoices.example.com';
    const grants = ['--scope', 'invoices:read', 'invoices:write', '--audience', audience];
    const made = await json<Made>('clients', 'create', 'billing', ...grants);
    const token = (secret: string) =>
      fetch(`${url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${made.client_id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    const granted = await token(made.client_secret);
    expect(await granted.json()).toMatchObject({ scope: 'invoices:read invoices:write' });

    const listed = await latchkey('clients', 'list');
    expect(listed.out).toMatch(/^client_id +name +scopes/m);
    expect(listed.out).toContain('billing');
    expect(listed.out).not.toContain(made.client_secret);

    const rotated = await json<Made>('clients', 'rotate', 'billing');
    expect([(await token(made.client_secret)).status, (await token(rotated.client_secret)).status]).toEqual([200, 200]);
    const again = await json<Made>('clients', 'rotate', made.client_id, '--overlap', '0');
    expect([(await token(rotated.client_secret)).status, (await token(again.client_secret)).status]).toEqual([
      401, 200,
    ]);

    expect(await json<object>('clients', 'disable', 'billing')).toEqual({ disabled: made.client_id });
    expect((await token(again.client_secret)).status).toBe(401);
    expect(await latchkey('clients', 'rotate', 'billing')).toMatchObject({ code: 1, out: '' });
  });

  it('says what is wrong with a client', async () => {
    await latchkey('clients', 'create', 'shop');
    const nobody = await latchkey('clients', 'disable', 'nobody');
    expect(nobody).toMatchObject({ code: 1, err: 'latchkey: there is no client nobody\n' });
    expect((await latchkey('clients', 'create', 'shop')).err).toContain('Another client has this name');
    expect((await latchkey('clients', 'create', 'x', '--jwks', '/nonexistent')).err).toContain(
      'cannot be read as JSON',
    );
    expect((await latchkey('clients', 'create', 'x', '--scope', 'a b')).err).toContain('scopes.0: must be a scope');
    expect((await latchkey('clients', 'create')).code).toBe(2);
    expect((await latchkey('clients', 'create', '--help')).out).toContain('grant_type=client_credentials');
  });

  it('says what is wrong, and how it is called', async () => {
    expect(await latchkey('users', 'create', 'a b', 'x@example.com')).toMatchObject({ code: 1, out: '' });
    expect((await latchkey('users', 'create', 'eve', 'x@example.com', '--role', 'nosuch')).err).toContain(
      'Some fields are not valid',
    );
    const wrong = await latchkey('users', 'nosuch');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("unknown command 'nosuch'")]);
    const help = await latchkey('users', 'create', '--help');
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('The first administrator:')]);
  });
});
