'use strict';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.js'],
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/.cache/'],
  setupFilesAfterEnv: ['<rootDir>/test/helpers/again.js'],
  // Programs are recorded, at their own speed, on however many processors there are.
  testTimeout: 60_000,
};
