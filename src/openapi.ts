import { writeFileSync } from 'node:fs';
import path from 'node:path';

import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import yaml from 'js-yaml';

import { createApp } from './app.js';
import { createLogger } from './common/logging.js';
import { packageRoot, packageVersion } from './common/package-root.js';
import { completeDocument } from './common/openapi-document.js';
import { markOptionalBodies } from './common/optional-bodies.js';
import { loadConfig } from './config/config.js';
import { openDatabase } from './open-database.js';

const DESCRIPTION = `Sign-in for your services. Register, sign in, and send the access token as a bearer token;
other services verify it by themselves.

Browsers keep the refresh token in an HttpOnly cookie and send \`X-CSRF-Token\`. Clients without cookies
send \`X-Auth-Transport: body\` and keep it themselves. Every error is \`application/problem+json\`.`;

/** The contract, from the code: the same document on every run. */
export function buildDocument(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Latchkey')
    .setVersion(packageVersion)
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' }, 'bearer')
    .addOAuth2(
      {
        type: 'oauth2',
        description: 'Signs in with username and password.',
        flows: { password: { tokenUrl: '/auth/login', scopes: {} } },
      },
      'password',
    )
    .addCookieAuth(
      'access_token',
      { type: 'apiKey', in: 'cookie', description: 'Where ACCESS_TOKEN_COOKIE is on.' },
      'access_cookie',
    )
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'The id and secret of a client.' }, 'client')
    .addTag('Sign-in', 'Accounts and sessions.')
    .addTag('Account', 'What signed-in people see and change of their own.')
    .addTag('Second factors', 'Authenticator apps, passkeys and recovery codes.')
    .addTag('Administration', 'For administrators; each operation names its permission in x-access.')
    .addTag('Services', 'For services that verify tokens.')
    .addTag('Operations', 'For operators.')
    .addTag('Documentation', 'What errors mean.')
    .build();
  markOptionalBodies(app);
  return completeDocument(
    SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method }),
  );
}

/** The document as it is committed: `openapi.yaml`. */
export async function renderOpenApi(): Promise<string> {
  const secret = 'only-the-shape-of-the-service-is-needed-here-0';
  const config = loadConfig({
    env: { MASTER_SECRET: `${secret}1`, JWT_SECRET: `${secret}2` },
    secretsDir: '/nonexistent',
  });
  const logger = createLogger('silent');
  const app = await createApp(
    config,
    openDatabase(config, { url: 'postgres://unused/unused', ownerUrl: null }, logger),
    logger,
    {
      preview: true,
    },
  );
  return yaml.dump(buildDocument(app), { noRefs: true, lineWidth: 110 });
}

export async function writeOpenApi(file = path.join(packageRoot, 'openapi.yaml')): Promise<void> {
  writeFileSync(file, await renderOpenApi());
}
