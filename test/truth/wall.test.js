'use strict';

/** Wall mode from outside; test/native/off_cpu_watch_test.cc has the signals. */

const fs = require('node:fs');
const path = require('node:path');
const { build } = require('../fixtures/native-addon/build');
const { runCli, temporaryFolder } = require('../helpers/run-cli');
const { selfTimes } = require('../helpers/read-cpuprofile');
const { runProgram } = require('../programs/truth/recorded');
const { recordingOf, js } = require('../helpers/recording');
const { readRecording } = require('../helpers/read-recording');
const { Profile } = require('../../lib/profile/profile');

// Shares are estimates, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

build();
const folder = temporaryFolder();

test.each(['tick', 'hires', 'itimer'])('%s: work and waits have their wall time, where they are', (timer) => {
  const { wall, sums, samples, threads, text } = runProgram('waits', timer);
  const main = threads.find(({ isMain }) => isMain);
  expect(Math.abs(main.wallNs / wall - 1)).toBeLessThan(0.05);
  expect(Math.abs(samples.wait / sums.wait - 1)).toBeLessThan(0.15);
  expect(Math.abs(samples.work / sums.work - 1)).toBeLessThan(0.15);
  const idle = threads.filter(({ isMain, wallNs }) => !isMain && wallNs > wall / 2);
  expect(idle.length).toBeGreaterThan(3); // V8's helpers and the worker
  for (const each of idle) expect(each.cpuNs).toBeLessThan(wall / 20);
  expect(text).toMatch(/ s of wall time in /);
});

test('the command takes -m wall, and the profile has no idle time left for a thread that sleeps', () => {
  const program = path.join(folder, 'sleep.js');
  fs.writeFileSync(
    program,
    'function nap() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500); }\nnap();\n',
  );
  const run = runCli(['-q', '-m', 'wall', '-o', 'nap.cpuprofile', program], { cwd: folder });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  const profile = JSON.parse(fs.readFileSync(path.join(folder, 'nap.cpuprofile'), 'utf8'));
  expect(profile['x-spprof'].mode).toBe('wall');
  const parents = new Map(
    profile.nodes.flatMap(({ id, children }) => children.map((/** @type {number} */ child) => [child, id])),
  );
  const byId = new Map(profile.nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @param {number | undefined} id @returns {boolean} */
  const isInNap = (id) =>
    id !== undefined && (byId.get(id).callFrame.functionName === 'nap' || isInNap(parents.get(id)));
  let nap = 0;
  profile.samples.forEach((/** @type {number} */ id, /** @type {number} */ i) => {
    if (isInNap(id)) nap += profile.timeDeltas[i + 1] ?? 0;
  });
  expect(nap).toBeGreaterThan(1_350_000);
  expect(nap).toBeLessThan(1_650_000);
});

test('stacks of sleeps reach from the system call to the program, and no call of a sleeping thread ends early', async () => {
  const program = path.join(folder, 'sleeps.js');
  fs.writeFileSync(
    program,
    `const { interruptedSleeps } = require(${JSON.stringify(build().addon)});
function inExecSync() { require('node:child_process').execSync('sleep 0.5'); }
function inAtomicsWait() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500); }
function inAddon() { return interruptedSleeps(72); }
inExecSync();
inAtomicsWait();
console.log(inAddon());
`,
  );
  const run = runCli(['-q', '-m', 'wall', '-o', 'sleeps.spprof', program], { cwd: folder });
  expect({ status: run.status, stderr: run.stderr, stdout: run.stdout }).toEqual({
    status: 0,
    stderr: '',
    stdout: '0\n',
  });
  const recording = await readRecording(path.join(folder, 'sleeps.spprof'));
  /** @param {string} leaf @param {string} caller ms asleep there */
  const asleepIn = (leaf, caller) => {
    let sum = 0;
    recording.sampleStacks.forEach((stack, i) => {
      const names = [];
      for (let at = stack; at !== 0; at = recording.stackParents[at])
        names.push(recording.frames[recording.stackFrames[at]].functionName);
      if (names[0].startsWith(leaf) && names.includes(caller)) sum += recording.sampleWallNs[i] / 1e6;
    });
    return sum;
  };
  expect(asleepIn('epoll_', 'inExecSync')).toBeGreaterThan(400);
  expect(asleepIn('', 'inAtomicsWait')).toBeGreaterThan(450);
  expect(asleepIn('', 'inAddon')).toBeGreaterThan(900);
  expect(asleepIn('epoll_', 'uv__io_poll')).toBeGreaterThan(0);
});

describe('in the model', () => {
  const work = js('work');
  const wait = js('wait');
  const samples = [
    { atMs: 10, cpuMs: 10, stack: [work] },
    { atMs: 110, cpuMs: 0, wallMs: 100, stack: [work, wait], state: 8 },
  ];

  test('wall mode counts what was slept', () => {
    const profile = new Profile(recordingOf(samples, { mode: 'wall' }));
    expect(profile.cpuNs).toBe(10e6);
    expect(profile.wallNs).toBe(110e6);
    expect(profile.functions.map(({ functionName, selfNs }) => [functionName, selfNs])).toEqual([
      ['wait', 100e6],
      ['work', 10e6],
    ]);
    expect(selfTimes(profile.toCpuProfile()).get('wait')).toBe(100_000);
  });

  test('CPU mode does not', () => {
    const profile = new Profile(recordingOf(samples));
    expect(profile.wallNs).toBe(10e6);
    expect(profile.functions.find(({ functionName }) => functionName === 'wait')?.selfNs).toBe(0);
  });
});
