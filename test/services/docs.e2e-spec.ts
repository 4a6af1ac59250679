import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Browser, Page } from 'playwright-core';

import { launchChromium } from '../support/chromium.js';
import { ServiceProcess } from '../support/service-process.js';

const person = { username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' };

describe('GET /docs in a browser', () => {
  let folder: string;
  let service: ServiceProcess;
  let url: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const visited = new Set<string>();

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-docs-'));
    chmodSync(folder, 0o755); // the embedded PostgreSQL of a root user runs as somebody else
    service = ServiceProcess.start({ PORT: '0', DATA_DIR: folder }, { cwd: folder });
    url = await service.url();
    await register();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
    page.setDefaultTimeout(15_000);
    await listen();
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('signs in by Authorize, and shows who is signed in by GET /auth/me', async () => {
    await page.goto(`${url}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).click();

    const form = page.locator('.auth-container', { hasText: 'OAuth2' });
    await form.locator('#oauth_username').fill(person.username);
    await form.locator('#oauth_password').fill(person.password);
    await form.locator('button', { hasText: 'Authorize' }).click();
    await form.locator('button', { hasText: 'Logout' }).waitFor();
    await screenshot('docs-authorized');
    await form.locator('button', { hasText: 'Close' }).click();

    const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/auth/me"]') });
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    const answer = operation.locator('.live-responses-table .response').first();
    await answer.locator('.response-col_description .microlight').first().waitFor();
    await operation.scrollIntoViewIfNeeded();
    await screenshot('docs-me');

    expect(await answer.locator('.response-col_status').innerText()).toMatch(/^200\b/);
    expect(await answer.innerText()).toContain(`"username": "${person.username}"`);
  });

  it('breaks no rule of its content security policy and logs no error', () => {
    expect(complaints).toEqual([]);
  });

  it('asks no other host for anything', () => {
    expect([...visited]).toEqual([url]);
  });

  async function register(): Promise<void> {
    const { status } = await fetch(`${url}/auth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Auth-Transport': 'body' },
      body: JSON.stringify(person),
    });
    if (status !== 201) throw new Error(`registration answered ${status}`);
  }

  /** Hears whatever the browser holds against the page. */
  async function listen(): Promise<void> {
    await page.exposeFunction('onViolation', (violation: string) => complaints.push(`policy: ${violation}`));
    await page.addInitScript(`
      addEventListener('securitypolicyviolation', (event) =>
        onViolation(event.effectiveDirective + ' refused ' + (event.blockedURI || 'inline')));
    `);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
    });
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    page.on('request', (request) => {
      if (request.url().startsWith('http')) visited.add(new URL(request.url()).origin);
    });
  }

  async function screenshot(name: string): Promise<void> {
    await page.screenshot({ path: path.join(process.env.SCREENSHOT_DIR ?? folder, `${name}.png`) });
  }
});
