// Several processes of the built service on one embedded PostgreSQL, with one set of secrets, and a small
// HTTP client for each. Limits are off: the benches that use this measure something else.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';

import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { answers, freePort, projectRoot, startNode, temporaryFolder } from './support.mjs';

export class Replicas {
  static async start(count, settings = {}) {
    const replicas = new Replicas();
    replicas.folder = temporaryFolder();
    replicas.database = await startEmbeddedPostgres(path.join(replicas.folder, 'postgres'));
    replicas.env = {
      DATABASE_URL: replicas.database.ownerUrl,
      MASTER_SECRET: randomBytes(48).toString('base64'),
      JWT_SECRET: randomBytes(48).toString('base64'),
      JWT_ISSUER: 'https://auth.example.com',
      LOG_LEVEL: 'warn',
      LOCKOUT_ATTEMPTS: '100',
      THROTTLE_LOGIN: 'off',
      THROTTLE_REFRESH: 'off',
      THROTTLE_DEFAULT: 'off',
      ...settings,
    };
    replicas.services = [];
    for (let index = 0; index < count; index++) replicas.services.push(await replicas.another());
    return replicas;
  }

  /** One more process. */
  async another() {
    const port = await freePort();
    const process = startNode([path.join(projectRoot, 'dist/cli.js'), 'serve'], { ...this.env, PORT: String(port) });
    await answers(`http://127.0.0.1:${port}/health/ready`, process.exited, 20);
    return new Service(port, process);
  }

  /** A client of the service: its id and secret, as `latchkey clients create` prints them. */
  async client(name) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(projectRoot, 'dist/cli.js'), '--json', 'clients', 'create', name],
      { env: { PATH: process.env.PATH, ...this.env } },
    );
    const { client_id: clientId, client_secret: clientSecret } = JSON.parse(stdout);
    return { clientId, clientSecret };
  }

  async stop() {
    for (const service of this.services) await service.stop();
    await this.database.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

class Service {
  constructor(port, process) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.process = process;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  }

  get(route, token) {
    return this.send('GET', route, undefined, token);
  }

  post(route, body, token) {
    return this.send('POST', route, body, token);
  }

  /** Sends JSON without cookies. Resolves with status and answer. */
  send(method, route, body, token) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'x-auth-transport': 'body',
      ...(token && { authorization: `Bearer ${token}` }),
      ...(text && { 'content-type': 'application/json' }),
      'content-length': Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const options = { port: this.port, host: '127.0.0.1', agent: this.agent, path: route, method, headers };
      const request = http.request(options, (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (answer += chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: answer ? JSON.parse(answer) : {} }));
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  async stop() {
    this.agent.destroy();
    await this.process.stop();
  }
}
