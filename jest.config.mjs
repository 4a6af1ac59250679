// swc compiles tests, sources and the ESM-only packages to CommonJS: no experimental flag, the same on every Node.
const swc = (parser) => [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser,
      keepClassNames: true,
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

/** Packages that are ES modules alone. A new one of that kind has to be named here. */
const esm = [
  '@nestjs',
  '@noble',
  '@otplib',
  '@scure',
  '@borewit',
  '@tokenizer',
  'csv-parse',
  'file-type',
  'jose',
  'load-esm',
  'oauth4webapi',
  'openid-client',
  'strtok3',
  'token-types',
  'uint8array-extras',
  'uuid',
];

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/packages'],
  testRegex: String.raw`\.(spec|e2e-spec)\.ts$`,
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/services/'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata'],
  testTimeout: 60_000,
  maxWorkers: 2, // half of them wait for a process to start, at any time; each has databases of its own
  transform: {
    '^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }),
    '^.+\\.m?js$': swc({ syntax: 'ecmascript' }),
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esm.join('|')})/)`],
  globalSetup: '<rootDir>/test/global-setup.mjs',
  globalTeardown: '<rootDir>/test/global-teardown.mjs',
};
