import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { KeysService } from '../../src/keys/keys.service.js';
import { algorithms } from '../../src/keys/new-key.js';
import { KeyRingKeeper } from '../../src/tokens/key-ring-keeper.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { TestApp } from '../support/test-app.js';

/** Debian's own: the one that its package python3-jwt is for. */
const PYTHON = '/usr/bin/python3';
const SOURCE = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
const newFolder = temporaryFolders();

const RUNNER = `
import json, sys
import jwt
given = json.load(open(sys.argv[1]))
for token, jwk in given["tokens"]:
    key = jwt.PyJWK(jwk).key
    claims = jwt.decode(token, key, algorithms=[jwk["alg"]], audience="latchkey", issuer=given["issuer"])
    print(jwk["alg"], claims["sub"])
`;

describe('Debian’s python3-jwt', () => {
  it('believes tokens of every algorithm', async () => {
    const app = await TestApp.start();
    try {
      const keys = app.app.get(KeysService, { strict: false });
      const tokens: [string, object][] = [];
      const expected: string[] = [];
      for (const algorithm of algorithms) {
        const { kid } = (await keys.generate(algorithm, null, SOURCE)).key;
        await keys.activate(kid, true, SOURCE);
        await app.app.get(KeyRingKeeper, { strict: false }).refresh();
        const { accessToken, person } = await app.givenSignedIn();
        const { body } = await app.client().send('get', '/.well-known/jwks.json').expect(200);
        const jwk = algorithm.startsWith('HS')
          ? await keys.export(kid, SOURCE)
          : (body.keys as { kid: string }[]).find((key) => key.kid === kid)!;
        tokens.push([accessToken, jwk]);
        expected.push(`${algorithm} ${person.id}`);
      }
      const folder = newFolder();
      fs.writeFileSync(path.join(folder, 'run.py'), RUNNER);
      fs.writeFileSync(path.join(folder, 'given.json'), JSON.stringify({ issuer: app.config.tokens.issuer, tokens }));
      const { stdout } = await promisify(execFile)(PYTHON, [
        path.join(folder, 'run.py'),
        path.join(folder, 'given.json'),
      ]);
      expect(stdout.trim().split('\n')).toEqual(expected);
    } finally {
      await app.stop();
    }
  });
});
