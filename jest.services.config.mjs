import base from './jest.config.mjs';

/** Tests that need a program which npm does not bring, such as a browser or Redis. */
const { testPathIgnorePatterns: _paths, ...shared } = base;

/** @type {import('jest').Config} */
export default { ...shared, maxWorkers: 1, roots: ['<rootDir>/test/services'] }; // a browser takes both cores
