import request, { type Test } from 'supertest';

import type { Person } from './test-app.js';

/** A client without cookies: a phone, a server, curl. */
export class ApiClient {
  constructor(
    private readonly url: string,
    readonly userAgent = 'okhttp/4.12.0',
  ) {}

  send(method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string): Test {
    return request(this.url)[method](path).set('User-Agent', this.userAgent).set('X-Auth-Transport', 'body');
  }

  register({ username, email, password }: Pick<Person, 'username' | 'email' | 'password'>): Test {
    return this.send('post', '/auth/register').send({ username, email, password });
  }

  login({ username, password }: Pick<Person, 'username' | 'password'>, deviceId?: string): Test {
    return this.send('post', '/auth/login').send({ username, password, ...(deviceId && { device_id: deviceId }) });
  }

  refresh(refreshToken: string, deviceId?: string): Test {
    return this.send('post', '/auth/refresh').send({
      refresh_token: refreshToken,
      ...(deviceId && { device_id: deviceId }),
    });
  }

  me(accessToken: string): Test {
    return this.send('get', '/auth/me').set('Authorization', `Bearer ${accessToken}`);
  }
}
