'use strict';

/** Whether something got slower: on simulated recordings, whose truth is known, and by the command. */

const fs = require('node:fs');
const path = require('node:path');
const { Profile } = require('../../lib/profile/profile');
const { findRegressions, normalQuantile } = require('../../lib/recording/regressions');
const { js, random, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const SEED = Number(process.env.SPPROF_TEST_SEED ?? 20261201);
const SHARES = [0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.02, 0.02];
const TRIES = 200;
const LIMIT = 0.05;

beforeAll(() => process.stderr.write(`regressions: SPPROF_TEST_SEED=${SEED}\n`));

/** A normal variable. @param {() => number} uniform */
function normal(uniform) {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * A program that goes through its functions in rounds of about 20 ms for ten seconds, sampled each millisecond.
 * @param {() => number} uniform
 * @param {{ slow?: number, noise?: number, machine?: number }} [how] `slow`: of the first function; `noise`: standard deviation of each function's
 *   speed from run to run; `machine`: of all of them together
 */
function simulate(uniform, { slow = 1, noise = 0, machine = 1 } = {}) {
  const functions = SHARES.map((_, i) => js(`f${i}`, { line: 10 + i }));
  const lasts = SHARES.map(
    (share, i) => 20 * share * machine * (i === 0 ? slow : 1) * Math.exp(noise * normal(uniform)),
  );
  /** @type {number[]} */
  const stacks = [];
  let now = 0;
  let next = uniform();
  for (let round = 0; round < 500; round++) {
    lasts.forEach((ms, i) => {
      now += ms * (0.7 + 0.6 * uniform());
      for (; next < now; next++) stacks.push(i + 1);
    });
  }
  const count = stacks.length;
  return {
    ...recordingOf(functions.map((frame, i) => ({ atMs: i, cpuMs: 1, stack: [frame] }))),
    ...{
      sampleThreads: new Uint32Array(count),
      sampleStates: new Uint8Array(count),
      sampleBlocks: new Uint32Array(count),
    },
    sampleTimes: Float64Array.from({ length: count }, (_, i) => i * 1e6),
    ...{ sampleCpuNs: new Float64Array(count).fill(1e6), sampleWallNs: new Float64Array(count).fill(1e6) },
    sampleStacks: Uint32Array.from(stacks),
  };
}

test('quantiles of the normal distribution', () => {
  for (const [p, z] of [
    [0.5, 0],
    [0.025, 1.95996],
    [0.0005, 3.29053],
  ])
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(4.5e-4);
});

test.each([0, 0.01])(
  'two recordings of one program are no alarm, with noise of %f from run to run',
  (noise) => {
    const uniform = random(SEED);
    let alarms = 0;
    for (let i = 0; i < TRIES; i++) {
      if (findRegressions(simulate(uniform, { noise }), simulate(uniform, { noise }), LIMIT).isSlower) alarms++;
    }
    expect(alarms).toBe(0);
  },
  120_000,
);

test('a function that is 10 % slower is found', () => {
  const uniform = random(SEED);
  let found = 0;
  for (let i = 0; i < TRIES; i++) {
    const { functions } = findRegressions(simulate(uniform), simulate(uniform, { slow: 1.1 }), LIMIT);
    if (functions[0].functionName === 'f0' && functions[0].isSlower) found++;
  }
  // It is seen in 96 of 100; 150 of 200 are ten standard deviations below.
  expect(found).toBeGreaterThan(150);
}, 120_000);

test('what one recording cannot know is no alarm: a machine that is slower by 8 %', () => {
  const uniform = random(SEED);
  const comparison = findRegressions(simulate(uniform), simulate(uniform, { machine: 1.08 }), LIMIT);
  expect(comparison.isSlower).toBe(false);
  expect(comparison.whole.change).toBeCloseTo(0.08, 1);
});

test('a function that got faster makes no other one slower', () => {
  const uniform = random(SEED);
  const { functions, isSlower } = findRegressions(simulate(uniform), simulate(uniform, { slow: 0.3 }), LIMIT);
  expect(isSlower).toBe(false);
  expect(functions.find(({ functionName }) => functionName === 'f0')?.change).toBeCloseTo(-0.7, 1);
});

test('a program that is twice as slow is, as a whole', () => {
  const uniform = random(SEED);
  expect(findRegressions(simulate(uniform), simulate(uniform, { machine: 2 }), LIMIT).whole.isSlower).toBe(true);
});

describe('spprof diff --fail-over', () => {
  const folder = temporaryFolder();

  beforeAll(async () => {
    const uniform = random(SEED);
    for (const [name, slow] of /** @type {[string, number][]} */ ([
      ['before.speedscope.json', 1],
      ['same.speedscope.json', 1],
      ['slower.speedscope.json', 1.5],
    ])) {
      await new Profile(simulate(uniform, { slow })).write(path.join(folder, name));
    }
  });

  const diff = (/** @type {string[]} */ ...args) => runCli(['diff', ...args], { cwd: folder });

  test('ends with 1 when something got slower, and says what', () => {
    const { status, stdout, stderr } = diff('--fail-over', '5%', 'before.speedscope.json', 'slower.speedscope.json');
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(/^slower +\+[45]\d\.\d % +\(\+.* to \+.*\) .* f0 {2}\/app\/main\.js:10$/m);
    expect(stdout).toMatch(/^result {3}.*1 function got slower by more than 5 %, beyond noise$/m);
  });

  test('ends with 0 otherwise, also without the flag', () => {
    const { status, stdout } = diff('--fail-over', '5', 'before.speedscope.json', 'same.speedscope.json');
    expect(status).toBe(0);
    expect(stdout).toContain('nothing got slower by more than 5 %');
    expect(diff('before.speedscope.json', 'slower.speedscope.json').status).toBe(0);
  });

  test('as Markdown and JSON', () => {
    const markdown = diff(
      '--fail-over',
      '5%',
      '-f',
      'markdown',
      'before.speedscope.json',
      'slower.speedscope.json',
    ).stdout;
    expect(markdown).toMatch(/^### Profile: .*1 function got slower/);
    expect(markdown).toMatch(/^\| \*\*slower\*\* \| \+\d+\.\d % \|/m);
    const { comparison } = JSON.parse(
      diff('--fail-over', '5%', '--json', 'before.speedscope.json', 'slower.speedscope.json').stdout,
    );
    expect(comparison).toMatchObject({ limit: 0.05, isSlower: true });
    expect(fs.readdirSync(folder)).toHaveLength(3);
  });

  test.each([
    [['--fail-over', 'much'], '--fail-over'],
    [['-f', 'pprof'], '--format'],
    [['-f', 'markdown', '--json'], '--json'],
  ])('wrong use ends with 2: %s', (args, name) => {
    const { status, stderr } = diff(...args, 'before.speedscope.json', 'same.speedscope.json');
    expect(status).toBe(2);
    expect(stderr).toContain(name);
  });
});
