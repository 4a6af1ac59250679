import request, { type Test } from 'supertest';

import type { Person } from './test-app.js';

interface StoredCookie {
  value: string;
  path: string;
  attributes: string;
}

/** A browser as far as the service can tell: it keeps cookies by path, and knows the CSRF cookie. */
export class Browser {
  readonly jar = new Map<string, StoredCookie>();

  constructor(
    private readonly url: string,
    readonly userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ) {}

  /** The same browser with the cookies that it has now: a second tab, or whoever stole them. */
  copy(userAgent = this.userAgent): Browser {
    const copy = new Browser(this.url, userAgent);
    for (const [name, cookie] of this.jar) copy.jar.set(name, cookie);
    return copy;
  }

  send(method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options', path: string): Test {
    const test = request(this.url)[method](path).set('User-Agent', this.userAgent);
    const cookies = [...this.jar]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`);
    if (cookies.length > 0) test.set('Cookie', cookies.join('; '));
    const csrf = this.jar.get('XSRF-TOKEN');
    if (csrf && !['get', 'options'].includes(method)) test.set('X-CSRF-Token', csrf.value);
    test.on('response', (response: { headers: Record<string, unknown> }) => this.store(response.headers['set-cookie']));
    return test;
  }

  /** Sends what would be a page's first call: it fetches a CSRF token where none is held. */
  async withCsrf(): Promise<this> {
    if (!this.jar.has('XSRF-TOKEN')) await this.send('get', '/auth/csrf').expect(200);
    return this;
  }

  login(person: Pick<Person, 'username' | 'password'>) {
    return this.postAfterCsrf('/auth/login', { username: person.username, password: person.password });
  }

  register(person: Pick<Person, 'username' | 'password' | 'email'>) {
    const { username, email, password } = person;
    return this.postAfterCsrf('/auth/register', { username, email, password });
  }

  refresh(): Test {
    return this.send('post', '/auth/refresh');
  }

  logout(): Test {
    return this.send('post', '/auth/logout');
  }

  cookie(name: string): string | undefined {
    return this.jar.get(name)?.value;
  }

  private postAfterCsrf(path: string, body: object) {
    const send = async () => (await this.withCsrf()).send('post', path).send(body);
    return {
      expect: async (status: number) => {
        const response = await send();
        if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}: ${response.text}`);
        return response;
      },
      then: <T>(resolve: (response: Awaited<ReturnType<typeof send>>) => T, reject?: (error: unknown) => T) =>
        send().then(resolve, reject),
    };
  }

  private store(header: unknown): void {
    for (const line of Array.isArray(header) ? (header as string[]) : []) {
      const [pair, ...attributes] = line.split('; ');
      const at = pair.indexOf('=');
      const path = attributes.find((attribute) => attribute.startsWith('Path='))?.slice(5) ?? '/';
      const expired = attributes.some((attribute) => attribute === 'Expires=Thu, 01 Jan 1970 00:00:00 GMT');
      if (expired) this.jar.delete(pair.slice(0, at));
      else
        this.jar.set(pair.slice(0, at), {
          value: decodeURIComponent(pair.slice(at + 1)),
          path,
          attributes: attributes.join('; '),
        });
    }
  }
}
