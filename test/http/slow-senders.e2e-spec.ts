import net from 'node:net';

import { TestApp } from '../support/test-app.js';

describe('a slow sender', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('of headers holds a connection for seconds, not for as long as it likes', async () => {
    const begun = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
      socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n');
      const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 500);
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => {
        clearInterval(drip);
        resolve(text);
      });
    });
    expect(answer).toContain('408 Request Timeout');
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});
