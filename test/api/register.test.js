'use strict';

/** The preload without the command: NODE_OPTIONS and `SPPROF_*` variables record a program, its workers and its children. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const spprof = require('../../lib/index');
const { cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');

const PROGRAM = path.join(folder, 'family.js');
fs.writeFileSync(
  PROGRAM,
  `const { Worker, isMainThread } = require('node:worker_threads');
function preloadedWork() { for (const end = performance.now() + 150; performance.now() < end; ) Math.sqrt(end); }
preloadedWork();
if (isMainThread && process.argv[2] !== 'child') {
  new Worker(__filename);
  require('node:child_process').fork(__filename, ['child']);
}
`,
);

/** @param {Record<string, string>} env */
function runFamily(env) {
  return spawnSync(process.execPath, [PROGRAM], {
    ...{ encoding: 'utf8', timeout: 60_000, cwd: folder, env: { ...cleanEnvironment(), ...env } },
  });
}

test.each([
  ['--require', REGISTER.replaceAll(' ', '\\ ')],
  ['--import', pathToFileURL(REGISTER).href],
])('NODE_OPTIONS=%s records the program, its worker and its child', async (option, what) => {
  const dir = path.join(folder, option);
  const { status, stderr } = runFamily({ NODE_OPTIONS: `${option} ${what}`, SPPROF_DIR: dir, SPPROF_INTERVAL: '1ms' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const profiles = await Promise.all(fs.readdirSync(dir).map((name) => spprof.readProfile(path.join(dir, name))));
  expect(profiles).toHaveLength(2);
  for (const profile of profiles) {
    expect(profile.functions.some(({ functionName }) => functionName === 'preloadedWork')).toBe(true);
  }
  const workers = profiles.flatMap(({ threads }) => threads.filter(({ kind }) => kind === 'worker'));
  expect(workers.some(({ sampleCount }) => sampleCount > 10)).toBe(true);
});

test('a wrong variable is told with its name, and the program runs on', () => {
  const { status, stderr } = runFamily({ NODE_OPTIONS: `--require ${REGISTER}`, SPPROF_MAX_FRAMES: 'many' });
  expect(status).toBe(0);
  expect(stderr).toMatch(
    /^spprof: this process is not recorded: SPPROF_MAX_FRAMES must be an integer from 1 to 4096, not "many"\n/,
  );
});
