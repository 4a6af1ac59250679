import type { Browser, CDPSession, Page } from 'playwright-core';

import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { ServiceProcess } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';

const newFolder = temporaryFolders();
const person = { username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' };

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** What a front end would run: `fetch` with cookies and the CSRF header, and WebAuthn by the browser's own JSON forms. */
const FRONT_END = `
  window.call = async (path, body, { bearer, method = 'POST' } = {}) => {
    if (!/XSRF-TOKEN=/.test(document.cookie)) await fetch('/auth/csrf');
    const csrf = /XSRF-TOKEN=([^;]+)/.exec(document.cookie)[1];
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
    if (bearer) headers.authorization = 'Bearer ' + bearer;
    const response = await fetch(path, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }) });
    return { status: response.status, body: response.status === 204 ? {} : await response.json() };
  };
  window.create = async (options) =>
    (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON();
  window.get = async (options) =>
    (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON();
`;

describe('passkeys in a browser', () => {
  let service: ServiceProcess;
  let url: string;
  let browser: Browser;
  let page: Page;
  let cdp: CDPSession;
  let accessToken: string;

  beforeAll(async () => {
    const folder = newFolder();
    const port = await freePort();
    url = `http://localhost:${port}`; // a secure context, and the host of PUBLIC_URL
    service = ServiceProcess.start({ PORT: String(port), DATA_DIR: folder, THROTTLE_LOGIN: 'off' }, { cwd: folder });
    await service.url();
    browser = await launchChromium();
    page = await newPage();
    // A platform authenticator that holds discoverable passkeys and checks its user (CDP: WebAuthn domain).
    cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const { status, body } = await call('/auth/register', person);
    expect(status).toBe(201);
    accessToken = body.access_token as string;
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  async function newPage(): Promise<Page> {
    const made = await (await browser.newContext()).newPage();
    await made.addInitScript(FRONT_END);
    await made.goto(`${url}/docs`);
    return made;
  }

  const call = (path: string, body?: object, options?: object): Promise<Answer> =>
    page.evaluate(
      ([to, content, more]) =>
        (globalThis as unknown as { call: (...args: unknown[]) => Promise<Answer> }).call(to, content, more),
      [path, body, options] as const,
    );

  /** Lets the browser's own WebAuthn answer options of the service. */
  const webauthn = (kind: 'create' | 'get', options: object): Promise<object> =>
    page.evaluate(
      ([name, given]) => (globalThis as unknown as Record<string, (o: object) => Promise<object>>)[name](given),
      [kind, options] as const,
    );

  const amrOf = (token: unknown): string[] =>
    (JSON.parse(Buffer.from(String(token).split('.')[1], 'base64url').toString()) as { amr: string[] }).amr;

  it('is registered', async () => {
    const options = await call('/auth/2fa/passkeys/options', {}, { bearer: accessToken });
    expect(options.status).toBe(200);
    const response = await webauthn('create', options.body);
    const { status, body } = await call('/auth/2fa/passkeys', { name: 'Chromium', response }, { bearer: accessToken });
    expect([status, body.name]).toEqual([201, 'Chromium']);
    // The browser will not make a second one on the same authenticator.
    const again = await call('/auth/2fa/passkeys/options', {}, { bearer: accessToken });
    await expect(webauthn('create', again.body)).rejects.toThrow(/InvalidStateError/);
  });

  it('is the second factor of a sign-in', async () => {
    const first = await call('/auth/login', { username: person.username, password: person.password });
    expect(first.body).toMatchObject({ mfa_required: true, mfa_methods: ['passkey', 'recovery_code'] });
    const { mfa_token } = first.body;
    const options = await call('/auth/2fa/options', { mfa_token });
    const response = await webauthn('get', options.body);
    const { status, body } = await call('/auth/2fa/verify', { mfa_token, response });
    expect(status).toBe(200);
    expect(amrOf(body.access_token)).toEqual(['pwd', 'hwk', 'mfa']);
    expect((await call('/auth/2fa/verify', { mfa_token, response })).status).toBe(401);
  });

  it('signs in alone, without a name', async () => {
    const options = await call('/auth/passkeys/options');
    const response = await webauthn('get', options.body);
    const { status, body } = await call('/auth/passkeys/verify', { response });
    expect([status, (body.user as { username: string }).username]).toEqual([200, person.username]);
    expect(amrOf(body.access_token)).toEqual(['user', 'hwk', 'mfa']);
    accessToken = body.access_token as string;
    expect((await call('/auth/passkeys/verify', { response })).status).toBe(401);
    expect((await call('/auth/refresh')).status).toBe(200);
  });

  it('steps up, and signs nobody in once it is taken away', async () => {
    const options = await call('/auth/step-up/options', {}, { bearer: accessToken });
    const { status, body } = await call(
      '/auth/step-up',
      { response: await webauthn('get', options.body) },
      { bearer: accessToken },
    );
    expect(status).toBe(200);
    const bearer = body.access_token as string;
    const { passkeys } = (await call('/auth/2fa', undefined, { bearer, method: 'GET' })).body as {
      passkeys: { id: string; last_used_at: string }[];
    };
    expect(passkeys).toHaveLength(1);
    expect(passkeys[0].last_used_at).not.toBeNull();
    expect((await call(`/auth/2fa/passkeys/${passkeys[0].id}`, {}, { bearer, method: 'DELETE' })).status).toBe(204);
    const alone = await call('/auth/passkeys/options');
    const response = await webauthn('get', alone.body); // the authenticator does not know
    expect((await call('/auth/passkeys/verify', { response })).status).toBe(401);
  });
});
