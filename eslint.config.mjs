import { readdirSync } from 'node:fs';

import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * Imports point one way. Each folder of `src` with the features that it may import; all others, and
 * the files that put the service together, are closed to it. Nobody but the commands imports auth or admin.
 */
const MAY_IMPORT = {
  config: [],
  database: [],
  common: [],
  users: [],
  passwords: [],
  audit: [],
  tokens: [],
  clients: [],
  revocations: ['audit', 'tokens'],
  keys: ['audit', 'tokens', 'revocations'],
  sessions: ['users', 'audit', 'revocations'],
  access: ['users', 'sessions', 'tokens', 'audit', 'clients', 'revocations'],
  protection: ['access', 'sessions', 'tokens', 'audit'],
  mfa: ['users', 'audit', 'sessions', 'protection'],
  oauth: ['access', 'sessions', 'tokens', 'clients', 'revocations', 'audit', 'protection'],
  health: ['protection', 'tokens'],
  metrics: ['protection', 'tokens'],
  auth: ['users', 'passwords', 'audit', 'tokens', 'revocations', 'sessions', 'access', 'protection', 'mfa'],
  import: ['users', 'passwords', 'audit', 'access', 'mfa'],
  commands: ['users', 'passwords', 'tokens', 'keys', 'auth', 'admin', 'access', 'clients', 'import'],
  admin: ['users', 'passwords', 'audit', 'tokens', 'clients', 'revocations', 'sessions', 'access', 'protection', 'mfa'],
};
const GROUND = ['config', 'database', 'common'];

const inSrc = readdirSync(new URL('src', import.meta.url), { withFileTypes: true });
const folders = inSrc.filter((entry) => entry.isDirectory()).map(({ name }) => name);
const assembly = inSrc.filter(({ name }) => name.endsWith('.ts')).map(({ name }) => name.slice(0, -'.ts'.length));
for (const folder of folders) {
  if (!(folder in MAY_IMPORT)) throw new Error(`eslint.config.mjs: say in MAY_IMPORT what src/${folder} may import`);
}

const oneWay = folders.map((folder) => {
  const open = [folder, ...GROUND, ...MAY_IMPORT[folder]];
  const closed = folders.filter((other) => !open.includes(other));
  const patterns = [
    {
      regex: `^(\\.\\./)+(${closed.join('|')})/`,
      message: `src/${folder} does not know this feature: imports point one way.`,
    },
    {
      regex: `^(\\.\\./)+(${assembly.join('|')})\\.js$`,
      message: 'A folder does not know the files that put the service together.',
    },
  ];
  return { files: [`src/${folder}/**/*.ts`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
});

const environmentIsConfig = {
  object: 'process',
  property: 'env',
  message: 'The environment is read in src/config alone: inject CONFIG.',
};
const randomIsCrypto = { object: 'Math', property: 'random', message: 'Predictable: use node:crypto.' };

const untyped = Object.fromEntries(
  ['argument', 'assignment', 'call', 'member-access', 'return'].map((use) => [
    `@typescript-eslint/no-unsafe-${use}`,
    'off',
  ]),
);

export default tseslint.config(
  { ignores: ['**/dist/', 'data/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/no-unnecessary-type-arguments': 'error',
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/prefer-optional-chain': 'error',
      '@typescript-eslint/no-shadow': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/only-throw-error': 'off', // what a callback hands over as an error is thrown on as it is
      // `consistent-type-imports` would turn injected classes into types, and Nest injects by value.
      '@typescript-eslint/consistent-type-imports': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-param-reassign': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'off', // typescript-eslint's own, which knows types, is on
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': 'error',
    },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      // Specifiers end in .js, as ESM asks; the files here end in .ts.
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
  },
  { files: ['**/*.ts'], rules: { 'no-restricted-properties': ['error', environmentIsConfig, randomIsCrypto] } },
  {
    // Beside src/config: PATH for a child process; test runs, which are told where their database is.
    files: ['src/config/**/*.ts', 'src/database/embedded-postgres.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', randomIsCrypto] },
  },
  ...oneWay,
  {
    // Amends OpenAPI's own JSON in place, whatever it holds.
    files: ['src/common/openapi-document.ts'],
    rules: untyped,
  },
  {
    // Tests read JSON as it came over the wire, and hand methods to matchers and hooks.
    files: ['test/**/*.ts', 'src/**/*.spec.ts', 'bench/**/*.ts', 'packages/*/test/**/*.ts'],
    rules: { ...untyped, '@typescript-eslint/unbound-method': 'off', '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['**/*.mjs'],
    rules: {
      eqeqeq: 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
      'no-restricted-properties': ['error', randomIsCrypto],
    },
  },
);
