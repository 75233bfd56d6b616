'use strict';

/** vitest: a module registry of its own for each test file, on threads or in processes. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const VITEST = path.join(path.dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.mjs');

/** A test file that records itself, twice, and looks for its own function. */
const TEST_FILE = `
import { expect, test } from 'vitest';
import { start } from ${JSON.stringify(LIBRARY)};

function vitestWork(ms) {
  for (const begin = process.cpuUsage(); ; ) {
    for (let i = 0; i < 1e5; i++) Math.sqrt(i);
    const { user, system } = process.cpuUsage(begin);
    if (user + system > ms * 1000) return;
  }
}

test.each([1, 2])('recording %i', async () => {
  const session = start({ intervalUs: 1000 });
  let streamed = 0;
  session.on('samples', ({ times }) => { streamed += times.length; });
  vitestWork(200);
  const profile = await session.stop();
  expect(profile.functions.some(({ functionName }) => functionName === 'vitestWork')).toBe(true);
  expect(streamed).toBe(profile.sampleCount);
});
`;

const folder = temporaryFolder();
for (const name of ['one', 'two', 'three']) fs.writeFileSync(path.join(folder, `${name}.test.mjs`), TEST_FILE);

test.each(['threads', 'forks'])(
  'test files in %s record themselves, one after the other, and vitest ends well',
  (pool) => {
    // One file at a time: a process has one session.
    const args = ['run', `--root=${folder}`, `--pool=${pool}`, '--no-file-parallelism', '--reporter=json'];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [VITEST, ...args], {
      ...{ encoding: 'utf8', timeout: 55_000, cwd: folder, env: { ...cleanEnvironment(), CI: 'true' } },
    });
    expect({ status, signal, stderr, stdout }).toMatchObject({ status: 0, signal: null });
    expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 6, numFailedTests: 0 });
  },
);
