'use strict';

/**
 * However a program ends, its profile is complete, and it ends as it does without us. Each way of ending is run bare, under the
 * command, and recording itself; the bare run says what is right.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { constants } = require('node:os');
const { expectBalance } = require('../helpers/balance');
const { selfTimes } = require('../helpers/read-cpuprofile');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

// What goes wrong once in a hundred exits is wrong.
jest.retryTimes(0);

const ENDS = path.join(__dirname, '..', 'programs', 'ends.js');
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');
const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.js');
const folder = temporaryFolder();

/** Ways to end, and node's own flags for them. */
const WAYS = /** @type {[string, string[]][]} */ ([
  ...['natural', 'exit', 'throw', 'reject', 'abort', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL', 'SIGSEGV'].map((how) => [
    how,
    [],
  ]),
  ['oom', ['--max-old-space-size=40']],
  ...['own-SIGINT', 'own-SIGTERM', 'SIGTERM-ignored-then-exit'].map((how) => [how, []]),
  ...['worker-terminated', 'worker-alive', 'cluster', 'fork', 'spawn', 'exec'].map((how) => [how, []]),
  ...('execve' in process ? [['execve', []]] : []),
]);
/** Ways that have Node processes beside the first, which are recorded too. */
const CHILDREN = new Map([
  ['cluster', 2],
  ['fork', 1],
  ['spawn', 1],
  ['exec', 1],
]);

/**
 * @param {string[]} args of node
 * @param {Record<string, string>} [env]
 */
function runNode(args, env = {}) {
  // No core files of the programs that are to crash.
  const { status, signal, stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, ...args],
    {
      ...{ cwd: folder, encoding: 'utf8', timeout: 60_000 },
      env: { ...cleanEnvironment(), ...env },
    },
  );
  return { status, signal, stdout, stderr };
}

/** @param {{ status: number | null, signal: NodeJS.Signals | null }} end as a shell says it */
function shellStatus({ status, signal }) {
  return signal === null ? status : 128 + constants.signals[signal];
}

/** @param {string} file */
function readCpuMs(file) {
  return Number(fs.readFileSync(path.join(folder, file), 'utf8'));
}

/**
 * What a thread uses after its last tick (they come every 4 ms where HZ = 250) is in no sample. Where it has to share its core, ticks may
 * pass it by for up to 50 ms of its CPU time.
 * @param {number} cpuNs in the profile
 * @param {number} usedMs what the program says it has used
 * @param {number} tookMs how long the recording was
 */
function expectAllOfTheCpuTime(cpuNs, usedMs, tookMs) {
  const isAlone = tookMs < usedMs * 1.1;
  expect(cpuNs / 1e6).toBeGreaterThan(usedMs - (isAlone ? 25 : 70));
}

/** @param {any} profile */
function heavyShare(profile) {
  const self = selfTimes(profile);
  self.delete('(idle)');
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  return (self.get('heavy') ?? 0) / total;
}

/** The one process's folder in a recording's. @param {string} dir */
function onlyFolder(dir) {
  const names = fs.readdirSync(path.join(folder, dir));
  expect(names).toHaveLength(1);
  return path.join(dir, names[0]);
}

describe.each(WAYS)('a program that ends by %s', (how, flags) => {
  const bare = runNode([...flags, ENDS, how]);

  test('ends so under the command too, its profile complete', () => {
    const run = runCli(['--json', '-o', `${how}.cpuprofile`, '--', process.execPath, ...flags, ENDS, how], {
      ...{ cwd: folder, env: { CPU_FILE: `${how}.cpu` } },
    });
    expect(run.status).toBe(shellStatus(bare));
    expect(run.stdout).toBe(bare.stdout);
    const { processes, exitCode, signal } = JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '');
    expect({ status: exitCode, signal }).toEqual({ status: bare.status, signal: bare.signal });
    expect(processes).toHaveLength(1 + (CHILDREN.get(how) ?? 0));
    for (const each of processes) {
      const profile = JSON.parse(fs.readFileSync(each.files[0].path, 'utf8'));
      expect(heavyShare(profile)).toBeGreaterThan(0.4);
      expectBalance(each.stats);
    }
    expectAllOfTheCpuTime(processes[0].cpuNs, readCpuMs(`${how}.cpu`), processes[0].durationNs / 1e6);
  });

  test('ends so with the preload alone, and can be read afterwards', () => {
    const env = { SPPROF_DIR: `register-${how}`, NODE_OPTIONS: `--require ${REGISTER}`, CPU_FILE: `r-${how}.cpu` };
    const run = runNode([...flags, ENDS, how], env);
    expect({ ...run, stderr: '' }).toEqual({ ...bare, stderr: '' });
    expect(fs.readdirSync(path.join(folder, `register-${how}`))).toHaveLength(1 + (CHILDREN.get(how) ?? 0));
  });

  test('ends so when it records itself, and is recovered afterwards', () => {
    const preload = path.join(folder, `start-${how}.js`);
    const isMain =
      "require('node:worker_threads').isMainThread && require('node:cluster').isPrimary && process.argv[2] !== 'exit'";
    const only = how === 'exit' ? "require('node:worker_threads').isMainThread" : isMain;
    fs.writeFileSync(preload, `if (${only}) require(${JSON.stringify(LIBRARY)}).start({ dir: 'api-${how}' });`);
    const run = runNode(['--require', preload, ...flags, ENDS, how], { CPU_FILE: `a-${how}.cpu` });
    expect({ ...run, stderr: '' }).toEqual({ ...bare, stderr: '' });
    const own = onlyFolder(`api-${how}`);
    expect(runCli(['recover', own], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    const converted = runCli(['convert', own, '-o', `a-${how}.cpuprofile`], { cwd: folder });
    expect(converted.status).toBe(0);
    const profile = JSON.parse(fs.readFileSync(path.join(folder, `a-${how}.cpuprofile`), 'utf8'));
    expect(heavyShare(profile)).toBeGreaterThan(0.4);
    // The second time there is nothing left to recover, and nothing changes.
    const log = fs.readFileSync(path.join(folder, own, 'log'));
    expect(runCli(['recover', own], { cwd: folder }).stdout).toContain(': 0 bytes recovered');
    expect(fs.readFileSync(path.join(folder, own, 'log')).equals(log)).toBe(true);
  });
});
