'use strict';

/** The summary says how much CPU time was not recorded, and why, where that is known; and nothing that is not true. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { lossReason } = require('../../lib/processes/child-loss');
const { findUnrecorded, nothingLine, unrecordedLine } = require('../../lib/cli/unrecorded');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const NODE = process.execPath;

/** Uses that much CPU time of its own, whatever else the machine does. */
fs.writeFileSync(
  path.join(folder, 'work.js'),
  'const begin = process.cpuUsage(); let x = 0; const used = () => { const { user, system } = process.cpuUsage(begin); return user + system; };' +
    'while (used() < 600e3) for (let i = 0; i < 1e5; i++) x += Math.sqrt(x + 1);',
);

/** @param {string[]} command @param {Record<string, string>} [env] */
function stderrOf(command, env = {}) {
  const run = runCli(['-o', 'u.cpuprofile', ...command], { cwd: folder, env });
  expect(run.status).toBe(0);
  return run.stderr;
}

/** `2.9 s of 3 s` or `612 ms of 1.2 s`: both in seconds. @param {string} text */
function times(text) {
  const [, some, unit, all, unitOfAll] =
    /([\d.]+) (m?s) of ([\d.]+) (m?s) of CPU time was not recorded/.exec(text) ?? [];
  return { some: Number(some) / (unit === 'ms' ? 1000 : 1), all: Number(all) / (unitOfAll === 'ms' ? 1000 : 1) };
}

test.each([
  [['env', '-u', 'NODE_OPTIONS', NODE, 'work.js'], /env removes NODE_OPTIONS/],
  [['env', '-i', NODE, 'work.js'], /env removes NODE_OPTIONS/],
  [['sh', '-c', `NODE_OPTIONS= "${NODE}" work.js`], /the command sets NODE_OPTIONS itself/],
  [['sh', '-c', `unset NODE_OPTIONS; "${NODE}" work.js`], /the command removes NODE_OPTIONS/],
  [[NODE, '--no-addons', 'work.js'], /work\.js\): it runs with --no-addons/],
])('%j is not said to have started no Node.js', (command, reason) => {
  const text = stderrOf(command);
  expect(text).toMatch(/^spprof: nothing was recorded of ".*" \([\d.]+ m?s of CPU time\): /);
  expect(text).toMatch(reason);
});

test.each([3, 4, 5, 6, 7])('a heap of %i MB: the program ends as it does without us', (megabytes) => {
  const command = [NODE, `--max-old-space-size=${megabytes}`, '-e', 'process.exitCode = 3'];
  const withoutCore = ['/bin/sh', '-c', 'ulimit -c 0; exec "$0" "$@"'];
  const bare = spawnSync(withoutCore[0], [...withoutCore.slice(1), ...command], { env: cleanEnvironment() });
  const { status } = runCli(['-q', '-o', 'heap.cpuprofile', ...withoutCore, ...command], { cwd: folder });
  expect(status).toBe(bare.status ?? 128 + os.constants.signals[bare.signal]);
});

test('a child without NODE_OPTIONS is named, with the CPU time that is missing', () => {
  const start = "require('node:child_process').execFileSync(process.execPath, ['work.js'], { env: {} });";
  const text = stderrOf([NODE, '-e', start]);
  expect(text).toMatch(/: it does not have the NODE_OPTIONS of spprof$/m);
  const { some, all } = times(text);
  expect(some).toBeGreaterThanOrEqual(0.55);
  expect(all).toBeGreaterThanOrEqual(some);
});

test('what other programs used is said to be theirs', () => {
  const text = stderrOf(['sh', '-c', `"${NODE}" -e 1; env -i "${NODE}" work.js`]);
  expect(times(text).some).toBeGreaterThanOrEqual(0.55);
});

test('a recording that ends early says so; a whole one says nothing', () => {
  expect(stderrOf(['-d', '0.05', NODE, 'work.js'])).toMatch(
    /was not recorded: the recording ended before the program, as --duration/,
  );
  expect(stderrOf([NODE, 'work.js'])).not.toMatch(/not recorded/);
});

test('what was recorded and cannot be written is not said to be unrecorded', () => {
  const run = runCli(['-o', '/dev/full', '-f', 'text', NODE, 'work.js'], { cwd: folder });
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/^spprof: cannot write \/dev\/full: .*; the recording is kept in .*\n$/);
  fs.rmSync(/kept in (.*)\/[^/]+\n/.exec(run.stderr)?.[1] ?? '', { recursive: true });
});

test('the JSON summary has both figures and the reasons', () => {
  const start = "require('node:child_process').execFileSync(process.execPath, ['work.js'], { env: {} });";
  const run = runCli(['--json', '-o', 'j.cpuprofile', NODE, '-e', start], { cwd: folder });
  const { cpuNs, unrecorded, processes } = JSON.parse(run.stderr);
  expect(processes).toHaveLength(1);
  expect(cpuNs).toBeGreaterThan(unrecorded.cpuNs);
  expect(unrecorded.cpuNs).toBeGreaterThan(0.55e9);
  expect(unrecorded.reasons.join()).toMatch(/NODE_OPTIONS of spprof/);
});

test('the words of a command say why parts of it are lost', () => {
  const reason = (/** @type {string[]} */ ...words) => lossReason(words, cleanEnvironment().PATH, folder);
  for (const words of [['deno', 'run', 'a.ts'], ['sudo', 'node', 'a.js'], ['bun', 'a.js'], ['npx-not-there']]) {
    expect(reason(...words) === null).toBe(words[0] === 'npx-not-there');
  }
  expect(reason('sh', '-c', 'cd x && exec sudo -u me node a.js')).toMatch(/sudo/);
  expect(reason('node', '--build-snapshot', 'a.js')).toMatch(/build-snapshot/);
  expect(reason('env', 'A=1', 'node', 'a.js')).toBeNull();
  expect(reason('node', 'sudo', 'docker')).toBeNull();
});

test('a recording that ended before its process, or is missing, is the reason; nobody else is blamed', () => {
  const ended = (/** @type {string} */ reason) =>
    /** @type {any} */ ({ pid: 7, cpuNs: 1e9, stats: { cpuNs: 1e9, shutdown: { reason } } });
  const reasonsOf = (/** @type {string} */ reason) =>
    findUnrecorded({ notes: [], processes: [ended(reason)], cpuNs: 3e9, known: null }).reasons;
  expect(reasonsOf('signal')).toEqual([expect.stringMatching(/^process 7: its recording ended when the signal came/)]);
  expect(reasonsOf('lost')).toEqual([expect.stringMatching(/^process 7: its recording was lost/)]);
  expect(reasonsOf('exit')).toEqual([]);
});

test('a process that cannot begin its recording is named', () => {
  const text = stderrOf(['sh', '-c', `SPPROF_MAX_FRAMES=many "${NODE}" work.js`]);
  expect(text).toMatch(/nothing was recorded of "sh" .*: process \d+ \(.*work\.js\): SPPROF_MAX_FRAMES must be/);
});

test('what is not worth a line gets none; what is not known is not claimed', () => {
  const line = (
    /** @type {number | null} */ cpuNs,
    /** @type {number | null} */ all,
    /** @type {string[]} */ ...reasons
  ) => unrecordedLine({ cpuNs, programCpuNs: all, processes: 1, reasons });
  expect(line(null, null)).toBe('');
  expect(line(100e6, 200e6)).toBe('');
  expect(line(1e9, 100e9)).toBe('');
  expect(line(2.9e9, 3e9, 'a', 'b', 'c', 'd', 'e')).toBe(
    '2.9 s of 3 s of CPU time was not recorded: a; b; c; and 2 more reasons',
  );
  expect(line(2.9e9, 3e9)).toMatch(/processes that did not load spprof used it/);
  expect(findUnrecorded({ notes: ['n'], processes: [], cpuNs: undefined, known: 'k' })).toEqual({
    ...{ cpuNs: null, programCpuNs: null, processes: 0, reasons: ['k', 'n'] },
  });
  const nothing = nothingLine('x', { cpuNs: null, programCpuNs: null, processes: 0, reasons: [] });
  expect(nothing).not.toMatch(/CPU time/);
  // A sandbox that hides the folder: the process runs, and can leave no note.
  expect(nothing).toMatch(/could not write into the folder of the recording \(--dir/);
});
