import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { createVerifier } from '#verifier';
import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { createPublicKey } from 'node:crypto';

import { Janitor } from '../../src/common/janitor.js';
import type { RequestSource } from '../../src/common/request-source.js';
import { KeysService, PUBLISH_SECONDS } from '../../src/keys/keys.service.js';
import { newKey } from '../../src/keys/new-key.js';
import { AccessTokenVerifier } from '../../src/tokens/access-token-verifier.js';
import { JwsSigner } from '../../src/tokens/jws-signer.js';
import { KeyRingKeeper } from '../../src/tokens/key-ring-keeper.js';
import { eventually } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { TestApp } from '../support/test-app.js';

const SOURCE: RequestSource = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
const newFolder = temporaryFolders();

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

describe('keys of the database', () => {
  let app: TestApp;
  let keys: KeysService;
  beforeEach(async () => {
    app = await TestApp.start();
    keys = app.app.get(KeysService, { strict: false });
  });
  afterEach(() => app.stop());

  const jwks = async (of = app) =>
    (await of.client().send('get', '/.well-known/jwks.json').expect(200)).body as JSONWebKeySet;
  const published = async (of = app) => (await jwks(of)).keys.map(({ kid }) => kid);
  const audited = () =>
    app.rows<{ type: string; details: Record<string, unknown> }>(
      `select type, details from audit_events where type like 'key.%' order by id`,
    );
  const hasHeard = (of: TestApp) => of.app.get(KeyRingKeeper, { strict: false }).refresh();
  /** A key that signs, at once. */
  async function signing(algorithm: Parameters<KeysService['generate']>[0], audience: string | null = null) {
    const { key } = await keys.generate(algorithm, audience, SOURCE);
    await keys.activate(key.kid, true, SOURCE);
    await hasHeard(app);
    return key.kid;
  }

  it('are published before they sign, sign once activated, verify after they were retired, and are destroyed', async () => {
    const before = await app.givenSignedIn();
    const { key: first } = await keys.generate('EdDSA', null, SOURCE);
    await hasHeard(app);
    expect(await published()).toEqual([first.kid]);
    expect(headerOf((await app.givenSignedIn()).accessToken).alg).toBe('HS256');

    app.advance(PUBLISH_SECONDS - 5);
    await expect(keys.activate(first.kid, false, SOURCE)).rejects.toThrow(`verifiers may not know ${first.kid} before`);
    app.advance(5);
    expect((await keys.activate(first.kid, false, SOURCE)).key.state).toBe('signing');
    expect((await keys.activate(first.kid, false, SOURCE)).key.state).toBe('signing'); // again: nothing happens
    await hasHeard(app);
    const during = await app.givenSignedIn();
    expect(headerOf(during.accessToken)).toEqual({ typ: 'at+jwt', alg: 'EdDSA', kid: first.kid });
    await app.client().me(before.accessToken).expect(200);

    const second = await signing('ES256');
    const { key: retired } = await keys.retire(first.kid, SOURCE);
    expect(retired.state).toBe('retired');
    await hasHeard(app);
    expect(await published()).toEqual([first.kid, second]);
    await app.client().me(during.accessToken).expect(200);

    app.advance(app.config.tokens.accessTokenSeconds + 61);
    await hasHeard(app);
    expect(await published()).toEqual([second]);
    await app.app.get(Janitor).tidy();
    expect((await app.rows('select kid from signing_keys where sealed is null'))[0]).toEqual({ kid: first.kid });
    expect((await keys.list()).map(({ kid, state }) => [kid, state]).slice(0, 2)).toEqual([
      [first.kid, 'destroyed'],
      [second, 'signing'],
    ]);
    expect((await audited()).map(({ type, details }) => [type, details.kid])).toEqual([
      ['key.generated', first.kid],
      ['key.activated', first.kid],
      ['key.generated', second],
      ['key.activated', second],
      ['key.retired', first.kid],
      ['key.destroyed', first.kid],
    ]);
    const { status } = await before.browser.refresh(); // nobody was signed out
    expect(status).toBe(200);
  });

  it('take an activation back by another one, or by retiring the key', async () => {
    const [one, two] = [await signing('EdDSA'), await signing('EdDSA')];
    const signer = async () => (await keys.list()).find(({ state }) => state === 'signing')!.kid;
    expect(await signer()).toBe(two);
    await keys.activate(one, false, SOURCE);
    expect(await signer()).toBe(one);
    await keys.retire(one, SOURCE);
    expect(await signer()).toBe(two);
    await keys.retire(two, SOURCE);
    expect((await keys.list()).find(({ state }) => state === 'signing')!.source).toBe('JWT_SECRET');
    const setting = (await keys.list()).at(-1)!.kid;
    for (const [change, message] of [
      [() => keys.activate(two, true, SOURCE), 'is retired: make another one'],
      [() => keys.retire(two, SOURCE), 'is retired already'],
      [() => keys.retire('nosuch', SOURCE), 'there is no key nosuch'],
      [() => keys.compromise('a b', SOURCE), 'this is no kid'],
      [() => keys.retire(setting, SOURCE), 'is a key of JWT_SECRET: take it out there'],
      [() => keys.activate(setting, true, SOURCE), 'is a key of JWT_SECRET'],
    ] as const)
      await expect(change()).rejects.toThrow(message);
  });

  it('leave one that can sign: the last one is not retired, and one that is compromised has a successor', async () => {
    const other = await TestApp.start({ JWT_ALG: 'EdDSA' });
    try {
      const service = other.app.get(KeysService, { strict: false });
      await other.client().send('get', '/health/ready').expect(503);
      await Promise.all([1, 2, 3].map(() => service.ensureSigningKey(SOURCE))); // as replicas that start at once
      await hasHeard(other);
      await other.client().send('get', '/health/ready').expect(200);
      const [{ kid, state }, ...others] = await service.list();
      expect([state, others]).toEqual(['signing', []]);
      await expect(service.retire(kid, SOURCE)).rejects.toThrow(`${kid} is the last key that can sign`);
      expect((await service.list())[0].state).toBe('signing');

      const { all } = await service.compromise(kid, SOURCE); // a new one
      expect(all.map((key) => [key.state, key.algorithm])).toEqual([
        ['compromised', 'EdDSA'],
        ['signing', 'EdDSA'],
      ]);
      const { key: waiting } = await service.generate('ES256', null, SOURCE);
      const after = await service.compromise(all[1].kid, SOURCE); // the one that was published
      expect(after.all.find((key) => key.state === 'signing')?.kid).toBe(waiting.kid);
      await expect(service.compromise(kid, SOURCE)).rejects.toThrow('compromised already');
    } finally {
      await other.stop();
    }
  });

  it('that are compromised are refused at once, at each replica and in the JWKS, and sessions go on', async () => {
    const lost = await signing('EdDSA');
    const replica = await app.replica();
    try {
      const { browser, accessToken } = await app.givenSignedIn();
      await replica.client().me(accessToken).expect(200);
      const begun = performance.now();
      await keys.compromise(lost, SOURCE);
      await eventually(async () => (await replica.client().me(accessToken)).status === 401, 2);
      expect(performance.now() - begun).toBeLessThan(1000);
      expect((await replica.client().me(accessToken)).body.code).toBe('token_revoked');
      await eventually(async () => (await app.client().me(accessToken)).status === 401, 2);
      // The feed and the ring hear of it by words of their own.
      for (const one of [app, replica]) await eventually(async () => !(await published(one)).includes(lost), 2);
      expect(performance.now() - begun).toBeLessThan(2000);

      const refreshed = (await browser.refresh().expect(200)).body.access_token as string;
      expect(headerOf(refreshed)).toMatchObject({ alg: 'EdDSA' });
      expect(headerOf(refreshed).kid).not.toBe(lost);
      await replica.client().me(refreshed).expect(200);
      expect(await app.rows('select kind, subject, reason from revocations')).toEqual([
        { kind: 'key', subject: lost, reason: 'key_compromised' },
      ]);
      // A key makes new tokens for ever: the entry outlasts them.
      const [{ years }] = await app.rows<{ years: number }>(
        'select extract(year from age(expires_at, now()))::int as years from revocations',
      );
      expect(years).toBeGreaterThanOrEqual(9);
    } finally {
      await replica.stop();
    }
  });

  it('stand in for JWT_SECRET where that is compromised, also after a restart', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const { kid } = headerOf(accessToken);
    await keys.compromise(kid, SOURCE);
    await hasHeard(app);
    expect((await app.client().me(accessToken).expect(401)).body.code).toBe('token_revoked');
    const refreshed = (await browser.refresh().expect(200)).body.access_token as string;
    expect(headerOf(refreshed)).toMatchObject({ alg: 'HS256' });
    expect(headerOf(refreshed).kid).not.toBe(kid);
    const replica = await app.replica();
    try {
      await replica.client().me(refreshed).expect(200);
      await replica.client().me(accessToken).expect(401);
    } finally {
      await replica.stop();
    }
  });

  it('that a replica has not heard of yet are looked for once, before a token is refused', async () => {
    const replica = await app.replica();
    try {
      const keeper = replica.app.get(KeyRingKeeper, { strict: false });
      const refresh = keeper.refresh.bind(keeper);
      const learn = jest.spyOn(keeper, 'learn');
      keeper.refresh = () => Promise.resolve(); // hears nothing by itself
      await signing('EdDSA');
      const { accessToken } = await app.givenSignedIn();
      keeper.refresh = refresh;
      await replica.client().me(accessToken).expect(200);
      expect(learn).toHaveBeenCalledTimes(1);
      await replica.client().me(accessToken).expect(200);
      expect(learn).toHaveBeenCalledTimes(1);
    } finally {
      await replica.stop();
    }
  });

  it('for one audience sign for it, and are believed for no other', async () => {
    const general = await signing('EdDSA');
    const billing = await signing('HS256', 'billing');
    const signer = app.app.get(JwsSigner, { strict: false });
    const { accessToken } = await app.givenSignedIn();
    expect(headerOf(accessToken).kid).toBe(general);
    const claims = claimsOf(accessToken);
    expect(headerOf(signer.sign('at+jwt', { ...claims, aud: 'billing' })).kid).toBe(billing);
    expect(headerOf(signer.sign('at+jwt', { ...claims, aud: 'other' })).kid).toBe(general);

    // Whoever verifies for billing holds its key, and makes a token for everybody with it.
    const secret = await keys.export(billing, SOURCE);
    const forged = jsonwebtoken.sign(claims, Buffer.from(secret.k as string, 'base64url'), {
      algorithm: 'HS256',
      header: { typ: 'at+jwt', alg: 'HS256', kid: billing },
    });
    expect((await app.client().me(forged).expect(401)).body.code).toBe('token_invalid');
    const verifier = app.app.get(AccessTokenVerifier, { strict: false });
    expect(() => verifier.verify(forged, app.now)).toThrow('aud');

    const { all } = await keys.compromise(billing, SOURCE);
    const next = all.find(({ state, audience }) => state === 'signing' && audience === 'billing')!;
    expect([next.kid === billing, next.algorithm]).toEqual([false, 'HS256']);
  });

  it.each(['EdDSA', 'ES256', 'RS256', 'HS256', 'HS384', 'HS512'] as const)(
    'of %s sign tokens that this service, @latchkey/verifier, jose and jsonwebtoken believe',
    async (algorithm) => {
      const kid = await signing(algorithm);
      const { accessToken, person } = await app.givenSignedIn();
      expect(headerOf(accessToken)).toEqual({ typ: 'at+jwt', alg: algorithm, kid });
      await app.client().me(accessToken).expect(200);
      const expected = { issuer: app.config.tokens.issuer, audience: 'latchkey' };
      const shared = algorithm.startsWith('HS') ? ((await keys.export(kid, SOURCE)) as JWK) : null;

      const source = shared ? { keys: [shared] } : { jwksUri: `${app.url}/.well-known/jwks.json` };
      const verifier = createVerifier({ ...expected, ...source });
      expect((await verifier.verify(accessToken)).sub).toBe(person.id);
      verifier.close();

      const jose = shared
        ? jwtVerify(accessToken, await importJWK(shared), { ...expected, typ: 'at+jwt', algorithms: [algorithm] })
        : jwtVerify(accessToken, createLocalJWKSet(await jwks()), { ...expected, typ: 'at+jwt' });
      expect((await jose).payload.sub).toBe(person.id);

      if (algorithm === 'EdDSA') return; // jsonwebtoken knows none
      const [jwk] = shared ? [shared] : (await jwks()).keys;
      const key = shared ? Buffer.from(jwk.k!, 'base64url') : createPublicKey({ key: jwk as never, format: 'jwk' });
      const claims = jsonwebtoken.verify(accessToken, key, { ...expected, algorithms: [algorithm] });
      expect(claims).toMatchObject({ sub: person.id });
    },
  );

  it('are exported where they are shared, with an audit row, and only then', async () => {
    const [pair, shared] = [await signing('EdDSA'), await signing('HS512')];
    await expect(keys.export(pair, SOURCE)).rejects.toThrow('is a key pair');
    expect(Buffer.from((await keys.export(shared, SOURCE)).k as string, 'base64url').length).toBe(64);
    await expect(keys.export((await keys.list()).at(-1)!.kid, SOURCE)).rejects.toThrow('is in JWT_SECRET');
    expect((await audited()).filter(({ type }) => type === 'key.exported').map(({ details }) => details.kid)).toEqual([
      shared,
    ]);
  });

  it('sign at once, also where the clock of whoever activated them is ahead', async () => {
    const replica = await app.replica();
    try {
      replica.advance(30);
      const ahead = replica.app.get(KeysService, { strict: false });
      const { kid } = (await ahead.generate('EdDSA', null, SOURCE)).key;
      await ahead.activate(kid, true, SOURCE);
      await hasHeard(app);
      expect(headerOf((await app.givenSignedIn()).accessToken).kid).toBe(kid);
    } finally {
      await replica.stop();
    }
  });

  it('verify as long as the tokens of the service live, whatever the settings of whoever retires them', async () => {
    const [old] = [await signing('EdDSA'), await signing('EdDSA')];
    await keys.ensureSigningKey(SOURCE); // as at a start
    const shell = await app.replica({ ACCESS_TOKEN_EXPIRE_MINUTES: '1' });
    try {
      const { key } = await shell.app.get(KeysService, { strict: false }).retire(old, SOURCE);
      expect(Number(key.verifiesUntil) - Number(key.retiredAt)).toBe(
        (app.config.tokens.accessTokenSeconds + 60) * 1000,
      );
    } finally {
      await shell.stop();
    }
  });

  it('that do not open are not retired while they are the last that could sign', async () => {
    const other = await TestApp.start({ JWT_ALG: 'EdDSA' });
    try {
      const service = other.app.get(KeysService, { strict: false });
      await service.ensureSigningKey(SOURCE);
      const [{ kid }] = await service.list();
      await other.rows(`update signing_keys set algorithm = 'RS256'`); // its seal says otherwise
      await expect(service.retire(kid, SOURCE)).rejects.toThrow('is the last key that can sign');
      const { key: next } = await service.generate('EdDSA', null, SOURCE);
      await service.activate(next.kid, true, SOURCE);
      expect((await service.retire(kid, SOURCE)).all.find(({ state }) => state === 'signing')?.kid).toBe(next.kid);
    } finally {
      await other.stop();
    }
  });

  it('activated two at once become one that signs, and both are recorded', async () => {
    const made = await Promise.all(
      (['EdDSA', 'ES256'] as const).map((algorithm) => keys.generate(algorithm, null, SOURCE)),
    );
    const replica = await app.replica();
    try {
      const others = replica.app.get(KeysService, { strict: false });
      await Promise.all([keys.activate(made[0].key.kid, true, SOURCE), others.activate(made[1].key.kid, true, SOURCE)]);
      await Promise.all([hasHeard(app), hasHeard(replica)]);
      const signers = (await keys.list()).filter(({ state }) => state === 'signing');
      expect(signers).toHaveLength(1);
      for (const one of [app, replica])
        expect(headerOf((await one.givenSignedIn()).accessToken).kid).toBe(signers[0].kid);
      expect((await audited()).filter(({ type }) => type === 'key.activated')).toHaveLength(2);
    } finally {
      await replica.stop();
    }
  });

  it('are believed only as they were sealed: whoever writes the table puts no key of theirs into the ring', async () => {
    const { kid } = newKey('HS256');
    const good = await signing('HS256', 'billing');
    await app.rows('update signing_keys set audience = null where kid = $1', [good]);
    await app.rows(
      `insert into signing_keys (kid, algorithm, key_id, sealed, created_at, active_from)
       select $1, 'HS256', key_id, sealed, now(), now() from signing_keys where kid = $2`,
      [kid, good],
    );
    const replica = await app.replica();
    try {
      const keeper = replica.app.get(KeyRingKeeper, { strict: false });
      expect(keeper.unreadable.map((row) => row.kid).toSorted()).toEqual([kid, good].toSorted());
      expect(headerOf((await replica.givenSignedIn()).accessToken).kid).not.toBe(kid);
      expect((await replica.client().send('get', '/metrics').expect(200)).text).toContain(
        'latchkey_signing_keys_unreadable 2',
      );
    } finally {
      await replica.stop();
    }
  });

  it('outlive a change of MASTER_SECRET, sealed anew; and so do sessions', async () => {
    const kid = await signing('EdDSA');
    const { browser, accessToken, person } = await app.givenSignedIn();
    const secrets = { MASTER_SECRET: `${'a'.repeat(20)}bcdefghijklmnopqrstuvwxyz` };
    const next = await app.replica({ ...secrets, MASTER_SECRET_PREVIOUS: app.config.masterSecret });
    try {
      await next.app.get(KeysService, { strict: false }).ensureSigningKey(SOURCE); // as at a start
      await next.client().me(accessToken).expect(200);
      const moved = next.browser();
      for (const [name, cookie] of browser.jar) moved.jar.set(name, cookie);
      const refreshed = (await moved.refresh().expect(200)).body.access_token as string;
      expect(headerOf(refreshed).kid).toBe(kid);
      const { body } = await moved.login(person).expect(200); // a browser that is known still is
      expect(headerOf(body.access_token as string).kid).toBe(kid);
    } finally {
      await next.stop();
    }
    await hasHeard(app); // with the old secret alone, and not restarted
    expect(headerOf((await app.givenSignedIn()).accessToken).kid).toBe(kid);
    const last = await app.replica(secrets);
    try {
      const keeper = last.app.get(KeyRingKeeper, { strict: false });
      expect(keeper.unreadable).toEqual([]);
      expect(() => keeper.assertReadable()).not.toThrow();
      expect(headerOf((await last.givenSignedIn()).accessToken).kid).toBe(kid);
    } finally {
      await last.stop();
    }
    const wrong = await app.replica({ MASTER_SECRET: `${'z'.repeat(20)}bcdefghijklmnopqrstuvwxyz` });
    try {
      const keeper = wrong.app.get(KeyRingKeeper, { strict: false });
      expect(() => keeper.assertReadable()).toThrow(/mistake/);
      const others = wrong.app.get(KeysService, { strict: false });
      await expect(others.generate('EdDSA', null, SOURCE)).rejects.toThrow('MASTER_SECRET does not open the key');
    } finally {
      await wrong.stop();
    }
  });
});

describe('MASTER_SECRET', () => {
  it('is changed at one replica after the other: each opens what the others made, meanwhile and after', async () => {
    const [first, second] = ['a', 'b'].map((letter) => `${letter.repeat(20)}bcdefghijklmnopqrstuvwxyz`);
    const app = await TestApp.start({ MASTER_SECRET: first, MASTER_SECRET_PREVIOUS: second });
    const replica = await app.replica({ MASTER_SECRET: second, MASTER_SECRET_PREVIOUS: first });
    try {
      const [mine, theirs] = [app, replica].map((one) => one.app.get(KeysService, { strict: false }));
      for (const one of [mine, theirs]) {
        await one.ensureSigningKey(SOURCE); // as at a start
        await one.generate('EdDSA', null, SOURCE);
      }
      const { browser, accessToken } = await app.givenSignedIn();
      for (const one of [replica, app, replica]) {
        await one.client().me(accessToken).expect(200);
        const there = one.browser();
        for (const [name, cookie] of browser.jar) there.jar.set(name, cookie);
        await there.refresh().expect(200);
        for (const [name, cookie] of there.jar) browser.jar.set(name, cookie);
        const keeper = one.app.get(KeyRingKeeper, { strict: false });
        await keeper.refresh();
        expect(keeper.unreadable).toEqual([]);
        await one.app.get(Janitor).tidy();
      }
    } finally {
      await replica.stop();
    }
    const after = await app.replica({ MASTER_SECRET: second });
    try {
      expect(after.app.get(KeyRingKeeper, { strict: false }).unreadable).toEqual([]);
    } finally {
      await after.stop();
      await app.stop();
    }
  });
});

describe('JWT_KEYS_FILE', () => {
  it('may lose a leaked key before that is told: it is refused everywhere, also where it comes back', async () => {
    const file = path.join(newFolder(), 'keys.json');
    const [leaked, kept] = [newKey('EdDSA'), newKey('EdDSA')].map(({ kid, jwk }) => ({ ...jwk, kid }));
    const write = (...all: object[]) => writeFileSync(file, JSON.stringify({ keys: all }));
    write(leaked, kept);
    const app = await TestApp.start({ JWT_ALG: 'EdDSA', JWT_KEYS_FILE: file });
    try {
      const keys = app.app.get(KeysService, { strict: false });
      const { accessToken } = await app.givenSignedIn();
      const code = async () => (await app.client().me(accessToken)).body.code;
      write(kept);
      await eventually(async () => (await code()) === 'token_invalid', 4);
      const { key } = await keys.compromise(leaked.kid, SOURCE);
      expect([key.state, key.algorithm]).toEqual(['compromised', null]);
      await expect(keys.export(leaked.kid, SOURCE)).rejects.toThrow('is compromised');
      expect(await app.rows('select kind, subject from revocations')).toEqual([{ kind: 'key', subject: leaked.kid }]);
      write(leaked, kept);
      await eventually(async () => (await code()) === 'token_revoked', 4);
      const refreshed = await app.givenSignedIn();
      expect(headerOf(refreshed.accessToken).kid).toBe(kept.kid);
    } finally {
      await app.stop();
    }
  });

  it('is read anew when it changes; a bad one changes nothing, and is told once', async () => {
    const file = path.join(newFolder(), 'keys.json');
    const [one, two] = [newKey('EdDSA'), newKey('EdDSA')].map(({ kid, jwk }) => ({ ...jwk, kid }));
    const write = (...all: object[]) => writeFileSync(file, JSON.stringify({ keys: all }));
    write(one);
    const app = await TestApp.start({ JWT_ALG: 'EdDSA', JWT_KEYS_FILE: file });
    try {
      const kids = async () =>
        (await app.client().send('get', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
      const degraded = async () =>
        /^latchkey_keys_file_degraded (\d)$/m.exec((await app.client().send('get', '/metrics')).text)?.[1];
      const before = await app.givenSignedIn();
      write(two, one);
      await eventually(async () => (await kids()).length === 2, 4);
      expect(headerOf((await app.givenSignedIn()).accessToken).kid).toBe(two.kid);
      await app.client().me(before.accessToken).expect(200);
      expect(await degraded()).toBe('0');

      for (const bad of ['{"keys":[', '{"keys":[]}', JSON.stringify({ keys: [two, two] })]) {
        writeFileSync(file, bad);
        await eventually(async () => (await degraded()) === '1', 4);
        expect(await kids()).toEqual([two.kid, one.kid]);
        await app.client().me(before.accessToken).expect(200);
        await app.client().send('get', '/health/ready').expect(200);
        write(two);
        await eventually(async () => (await degraded()) === '0', 4);
        write(two, one);
        await eventually(async () => (await kids()).length === 2, 4);
      }
      expect(app.log.match(/JWT_KEYS_FILE is not in use as it is/g)).toHaveLength(3);
      for (const { d } of [one, two] as { d?: string }[]) expect(app.log).not.toContain(d);
    } finally {
      await app.stop();
    }
  });
});
