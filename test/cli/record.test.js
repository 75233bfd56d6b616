'use strict';

/** End to end: the real command line, the real addon, real programs; the profile is read back with DevTools' own code. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { PERF_PROBLEM, testUnlessChosen } = require('../helpers/engine');
const { selfTimes } = require('../helpers/read-cpuprofile');
const { runCli, startCli, temporaryFolder } = require('../helpers/run-cli');

const PROGRAMS = path.join(__dirname, '..', 'programs');
const folder = temporaryFolder();

/** @param {string} name */
function program(name) {
  return path.join(PROGRAMS, name);
}

/** @param {string} name */
function readProfile(name) {
  return JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
}

/** Shares of the CPU time that functions have, without idle time. @param {any} profile */
function shares(profile) {
  const self = selfTimes(profile);
  self.delete('(idle)');
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  return { total, share: (/** @type {string} */ name) => (self.get(name) ?? 0) / (total || 1) };
}

describe('a program that works', () => {
  const run = runCli(['-o', 'busy.cpuprofile', program('busy.js'), '800', '7'], { cwd: folder });

  test('runs as it would, and ends as it would', () => {
    expect(run.stdout).toBe('done\n');
    expect(run.status).toBe(7);
  });

  test('leaves its profile and its log, and no other file', () => {
    expect(fs.readdirSync(folder).sort()).toEqual(['busy.cpuprofile', 'busy.spprof']);
  });

  test('shows its functions', () => {
    const { share } = shares(readProfile('busy.cpuprofile'));
    expect(share('heavy')).toBeGreaterThan(0.5);
    expect(share('light')).toBeGreaterThan(0);
  });

  // Enough samples also where the core has to be shared.
  test('shows its functions with their shares', () => {
    runCli(['-r', '1000', '-o', 'often.cpuprofile', program('busy.js'), '800'], { cwd: folder });
    const { share } = shares(readProfile('often.cpuprofile'));
    expect(share('heavy')).toBeGreaterThan(0.55);
    expect(share('heavy')).toBeLessThan(0.8);
    expect(share('light')).toBeGreaterThan(0.1);
    expect(share('light')).toBeLessThan(0.35);
  });

  test('names the place of a definition', () => {
    const { callFrame } = readProfile('busy.cpuprofile').nodes.find(
      (/** @type {any} */ n) => n.callFrame.functionName === 'heavy',
    );
    const source = fs.readFileSync(program('busy.js'), 'utf8').split('\n');
    expect(callFrame.url).toBe(`file://${program('busy.js')}`);
    expect(source[callFrame.lineNumber]).toContain('function heavy');
  });

  test("is read by DevTools' own code with the same times", () => {
    const file = path.join(folder, 'busy.cpuprofile');
    const reader = path.join(__dirname, '..', 'helpers', 'devtools-reader.mjs');
    const read = JSON.parse(execFileSync(process.execPath, [reader, file], { encoding: 'utf8' }));
    const profile = readProfile('busy.cpuprofile');
    const self = selfTimes(profile);
    expect(read).toMatchObject({ hasIdle: true, samples: profile.samples.length });
    for (const name of ['heavy', 'light']) {
      expect(Math.abs(read.self[name] - /** @type {number} */ (self.get(name)) / 1000)).toBeLessThan(0.01);
    }
  });

  test('prints the summary: categories, functions, files; no word of the engine', () => {
    expect(run.stderr).toMatch(/^spprof: busy: your code \d+\.\d %/);
    expect(run.stderr).toContain(path.join(folder, 'busy.cpuprofile'));
    expect(run.stderr).toMatch(/DevTools/);
    expect(run.stderr).toMatch(/ heavy +\S*busy\.js:\d+/);
    expect(run.stderr).toMatch(/process \d+: [\d,]+ samples, /);
    expect(run.stderr).not.toMatch(/^(samples|cost|rate|log) /m);
  });

  test('how the engine worked is behind --engine of the report', () => {
    const { stdout } = runCli(['report', '--engine', 'busy.spprof'], { cwd: folder });
    expect(stdout).toMatch(/samples {2}[\d,]+ written, \d/);
    expect(stdout).toMatch(/cost {5}\d+\.\d\d % of the CPU time/);
  });

  test('its log can be reported and converted', () => {
    expect(runCli(['report', 'busy.spprof'], { cwd: folder }).stdout).toMatch(/ heavy +\S*busy\.js:\d+/);
    const { stdout, status } = runCli(['convert', 'busy.spprof', '-o', 'again.cpuprofile', '-o', 'again.folded'], {
      cwd: folder,
    });
    expect([stdout, status]).toEqual([`${folder}/again.cpuprofile\n${folder}/again.folded\n`, 0]);
    expect(readProfile('again.cpuprofile')).toEqual(readProfile('busy.cpuprofile'));
    expect(fs.readFileSync(path.join(folder, 'again.folded'), 'utf8')).toMatch(
      /;heavy [^\n]*busy\.js:\d+_\[[j0i]\] \d+\n/,
    );
  });
});

test('--json prints the summary as JSON, -q none; --dir keeps the folder', () => {
  const { stderr } = runCli(['--json', '-o', 'json.cpuprofile', '--dir', 'kept', program('busy.js'), '200'], {
    cwd: folder,
  });
  const { processes, exitCode } = JSON.parse(stderr);
  expect(exitCode).toBe(0);
  expect(processes).toHaveLength(1);
  expect(processes[0]).toMatchObject({
    program: 'busy',
    timer: process.env.SPPROF_TIMER ?? 'tick',
    mode: 'cpu',
    stats: { dropped: expect.anything() },
  });
  expect(processes[0].files).toEqual([
    { path: path.join(folder, 'json.cpuprofile'), format: 'cpuprofile', threadId: 0 },
  ]);
  expect(processes[0].functions[0].functionName).toBe('heavy');
  expect(fs.readdirSync(path.join(folder, 'kept'))).toHaveLength(1);
  expect(runCli(['recover', 'kept'], { cwd: folder }).stdout).toMatch(/\d+ bytes recovered/);
  expect(runCli(['report', 'kept'], { cwd: folder }).stdout).toMatch(/ heavy /);
  expect(runCli(['-q', '-o', 'quiet.cpuprofile', program('busy.js'), '100'], { cwd: folder }).stderr).toBe('');
});

testUnlessChosen('an interval below the tick is sampled by perf events, where they are allowed', () => {
  const args = ['--json', '-o', 'often.cpuprofile', '-r', '1000', program('busy.js'), '400'];
  const { processes } = JSON.parse(runCli(args, { cwd: folder }).stderr);
  expect(processes[0]).toMatchObject({ timer: PERF_PROBLEM === '' ? 'perf' : 'tick', intervalUs: 1000 });
  expect(processes[0].sampleCount).toBeGreaterThan(PERF_PROBLEM === '' ? 250 : 25);
});

test('workers have files of their own, named by process and thread', () => {
  const { status, stderr } = runCli(['--json', '-o', 'w.cpuprofile', program('workers.js')], { cwd: folder });
  expect(status).toBe(0);
  const { pid } = JSON.parse(stderr).processes[0];
  for (const word of ['worker-1', 'worker-2']) {
    expect(shares(readProfile(`w.${pid}.${word}.cpuprofile`)).share('workerLoop')).toBeGreaterThan(0.6);
  }
  expect(shares(readProfile('w.cpuprofile')).share('workerLoop')).toBe(0);
});

test('native work shows as native functions, on its own thread', () => {
  const { stderr } = runCli(['--json', '-o', 'n.cpuprofile', '-o', 'n.folded', program('pool.js')], { cwd: folder });
  const { threads } = JSON.parse(stderr).processes[0];
  const lines = fs.readFileSync(path.join(folder, 'n.folded'), 'utf8').trim().split('\n');
  expect(lines.some((line) => /deflate/i.test(line))).toBe(true);
  const pool = threads.filter((/** @type {any} */ each) => each.kind === 'native' && each.cpuNs > 100e6);
  expect(pool).toHaveLength(1);
});

test('--duration ends the recording, and the program runs on', () => {
  const { status, stdout, stderr } = runCli(
    ['--json', '-d', '0.3', '-o', 'd.cpuprofile', program('busy.js'), '1200', '5'],
    {
      cwd: folder,
    },
  );
  expect(status).toBe(5);
  expect(stdout).toBe('done\n');
  const [{ durationNs, stoppedCleanly }] = JSON.parse(stderr).processes;
  expect(stoppedCleanly).toBe(true);
  expect(durationNs).toBeGreaterThan(0.3e9);
  expect(durationNs).toBeLessThan(0.8e9);
  expect(shares(readProfile('d.cpuprofile')).share('heavy')).toBeGreaterThan(0.4);
});

test('recover --dump prints what a killed process has left', () => {
  runCli(['-q', '--dir', 'dump', '-o', 'k.cpuprofile', program('busy.js'), '200', 'SIGKILL'], { cwd: folder });
  const { status, stdout } = runCli(['recover', '--dump', 'dump'], { cwd: folder });
  expect(status).toBe(0);
  expect(stdout).toMatch(/slot 0: active, generation 1, thread \d+ "[^"]+" \(main, runs JavaScript\)/);
  expect(stdout).toMatch(/index +[1-9]\d* records, \d+ swaps; ring 0: \d+ of 16384 bytes \(active\)/);
});

describe('the exit matrix: the profile is there, and the status is the program’s', () => {
  test.each([
    ['exit', '3', 3],
    ['throw', 'throw', 1],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGKILL', 'SIGKILL', 137],
    ['SIGSEGV', 'SIGSEGV', 139],
    ['SIGABRT', 'SIGABRT', 134],
  ])('%s', (name, how, status) => {
    const run = runCli(['-o', `exit-${name}.cpuprofile`, program('busy.js'), '300', how], { cwd: folder });
    expect(run.status).toBe(status);
    expect(shares(readProfile(`exit-${name}.cpuprofile`)).share('heavy')).toBeGreaterThan(0.4);
  });

  test.each([
    ['SIGINT', 'loop', 0],
    ['SIGTERM', 'loop', 0],
    ['SIGHUP', 'loop', 0],
    ['SIGINT', 'wait', 0],
    ['SIGINT', 'handle', 9],
  ])('%s to spprof ends a program that would %s, and the status is %i', async (signal, how, status) => {
    const name = `${signal}-${how}.cpuprofile`;
    const { child, ended } = await startCli(['-o', name, program('endless.js'), how], { cwd: folder });
    child.kill(/** @type {NodeJS.Signals} */ (signal));
    expect(await ended).toMatchObject({ status, signal: null });
    const profile = readProfile(name);
    if (how === 'loop') expect(shares(profile).share('endlessLoop')).toBeGreaterThan(0.5);
    expect(profile['x-spprof'].thread.kind).toBe('main');
  });
});

describe('the program sees nothing of it', () => {
  test('no listener, no global, no handle, no argument', () => {
    const args = ['-q', '-o', 't.cpuprofile', 'node', program('traces.js'), '-o', '--json', '--', 'x y'];
    const plain = execFileSync(process.execPath, [program('traces.js'), '-o', '--json', '--', 'x y'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(runCli(args, { cwd: folder }).stdout)).toEqual(JSON.parse(plain));
  });

  test('when it cannot be recorded, one line says so and it runs on', () => {
    const file = path.join(folder, 'a file');
    fs.writeFileSync(file, '');
    const register = path.join(__dirname, '..', '..', 'lib', 'register.js');
    const script = `
      const { status, stdout, stderr } = require('node:child_process').spawnSync(process.execPath,
        ['--require', ${JSON.stringify(register)}, '-p', '1 + 1'],
        { encoding: 'utf8', env: { ...process.env, SPPROF_DIR: ${JSON.stringify(file)} } });
      process.stdout.write(JSON.stringify({ status, stdout, stderr }));`;
    const run = JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
    expect(run).toMatchObject({ status: 0, stdout: '2\n' });
    expect(run.stderr).toMatch(/^spprof: this process is not recorded: [^\n]+\n$/);
  });
});
