import type { CookieOptions, Request, Response } from 'express';

export type CookieName = 'refresh_token' | 'access_token' | 'XSRF-TOKEN' | 'device';

export interface CookieSettings {
  readonly secure: boolean;
  readonly domain: string | undefined;
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** Whether access tokens travel in a cookie too. */
  readonly accessToken: boolean;
}

/** What differs between the cookies of the contract; the rest is configuration. */
const SHAPES: Record<CookieName, { path: string; httpOnly: boolean }> = {
  refresh_token: { path: '/auth', httpOnly: true },
  access_token: { path: '/', httpOnly: true },
  'XSRF-TOKEN': { path: '/', httpOnly: false },
  device: { path: '/auth', httpOnly: true },
};

/** Sets, clears and reads the service's cookies, each always with the same attributes. */
export class Cookies {
  /** What follows a cookie's life in Set-Cookie, by its name: the same each time. */
  private readonly attributes: Record<CookieName, string>;

  constructor(private readonly settings: CookieSettings) {
    const { domain, secure, sameSite } = settings;
    const site = sameSite.charAt(0).toUpperCase() + sameSite.slice(1);
    const of = (name: CookieName) =>
      `${domain ? `Domain=${domain}; ` : ''}Path=${SHAPES[name].path}` +
      `${SHAPES[name].httpOnly ? '; HttpOnly' : ''}${secure ? '; Secure' : ''}; SameSite=${site}`;
    this.attributes = {
      refresh_token: of('refresh_token'),
      access_token: of('access_token'),
      'XSRF-TOKEN': of('XSRF-TOKEN'),
      device: of('device'),
    };
  }

  /** `value` is base64url or a JWT: nothing in it needs quoting. */
  set(response: Response, name: CookieName, value: string, seconds: number): void {
    const expires = new Date(Date.now() + seconds * 1000).toUTCString();
    response.appendHeader(
      'Set-Cookie',
      `${name}=${value}; Max-Age=${seconds}; Expires=${expires}; ${this.attributes[name]}`,
    );
  }

  clear(response: Response, name: CookieName): void {
    response.clearCookie(name, this.options(name));
  }

  /** The cookie's text, or null. cookie-parser turns `j:` values into objects: those are not ours. */
  read(request: Request, name: CookieName): string | null {
    const value: unknown = (request.cookies as Record<string, unknown> | undefined)?.[name];
    return typeof value === 'string' && value !== '' ? value : null;
  }

  /** The access cookie, where the service uses one. */
  readAccessToken(request: Request): string | null {
    return this.settings.accessToken ? this.read(request, 'access_token') : null;
  }

  /** Also sends the access token as a cookie, where the service is set to. */
  setAccessToken(response: Response, token: string, seconds: number): void {
    if (this.settings.accessToken) this.set(response, 'access_token', token, seconds);
  }

  private options(name: CookieName): CookieOptions {
    return {
      ...SHAPES[name],
      secure: this.settings.secure,
      sameSite: this.settings.sameSite,
      domain: this.settings.domain,
    };
  }
}
