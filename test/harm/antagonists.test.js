'use strict';

/**
 * Programs that make life hard for a sampler, under it: each prints what it prints without it, and ends as it ends. The long
 * campaign is `node bench/antagonists.js`.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { expectBalance } = require('../helpers/balance');
const { readRecording } = require('../helpers/read-recording');
const { atLeast } = require('../helpers/engine');
const { ANTAGONISTS } = require('./antagonists/list');
const { runPlain, runRecorded } = require('./antagonists/run');
const { build } = require('../fixtures/native-addon/build');
const { cleanEnvironment } = require('../helpers/run-cli');

// What harms the program once in a hundred runs harms it.
jest.retryTimes(0);

build();

const SEED = Number(process.env.ANTAGONIST_SEED ?? Date.now() % 1_000_000);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof antagonists '));
const settings = { node: process.execPath, seed: SEED, folder };
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** @type {Map<string, string>} what each prints without the sampler */
const outputs = new Map();

/** @param {import('./antagonists/list').Antagonist} antagonist */
function expectedOutput(antagonist) {
  if (!outputs.has(antagonist.name)) {
    const plain = runPlain(antagonist, { ...settings, seconds: 0 });
    expect(plain).toMatchObject({ status: antagonist.status, stderr: '' });
    outputs.set(antagonist.name, plain.stdout);
  }
  return outputs.get(antagonist.name);
}

describe.each([
  ['10 kHz', 10_000],
  ['the default engine', 0],
])(`%s, seed ${SEED}`, (_, rate) => {
  test.each(ANTAGONISTS.map((each) => [each.name, each]))('%s', async (name, each) => {
    const antagonist = /** @type {import('./antagonists/list').Antagonist} */ (each);
    const stdout = expectedOutput(antagonist);
    const run = runRecorded(antagonist, { ...settings, rate, seconds: 0.7 });
    expect({
      seed: SEED,
      status: run.status,
      stdout: run.stdout,
      stderr: run.stats === null ? run.stderr : '',
    }).toEqual({
      ...{ seed: SEED, status: antagonist.status, stdout, stderr: '' },
    });
    const stats = /** @type {import('../../lib/index').Stats} */ (run.stats);
    expect(stats.written).toBeGreaterThan(0);
    expectBalance(stats);
    // Whoever ends with `process.exit` is read as it was at that moment.
    if (name !== 'worker-churn') expect(run.sampleCount).toBe(stats.written);
    if (name === 'deep-recursion' && rate > 0) await expectTruncation(stats, /** @type {string} */ (run.log));
  });
});

/**
 * Stacks beyond 512 frames are marked and counted. V8's own trampolines between are not shown, so that somewhat fewer are left.
 * @param {any} stats
 * @param {string} log
 */
async function expectTruncation(stats, log) {
  const { sampleStates, sampleStacks, stackParents, frames, stackFrames } = await readRecording(log);
  const truncated = [...sampleStacks].filter((_, i) => (sampleStates[i] & 2) !== 0);
  expect(truncated.length).toBeGreaterThan(0);
  expect(stats.truncated).toBe(truncated.length);
  const real = (/** @type {number} */ stack) => {
    let depth = 0;
    for (let at = stack; at !== 0; at = stackParents[at]) if (frames[stackFrames[at]].kind !== 'truncated') depth++;
    return depth;
  };
  const depths = truncated.slice(0, 50).map(real);
  expect(Math.min(...depths)).toBeGreaterThan(256);
  expect(Math.max(...depths)).toBeLessThanOrEqual(512);
}

describe('another user of SIGPROF', () => {
  const program = path.join(__dirname, 'antagonists', 'sigprof-listener.js');

  /** @param {string} kind @param {string} order */
  function run(kind, order) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, kind, order], {
      ...{ encoding: 'utf8', timeout: 25_000, env: cleanEnvironment() },
    });
    expect({ status, stderr }).toEqual({ status: 54, stderr: '' });
    return JSON.parse(stdout);
  }

  test.each(['listener', 'addon'])(
    'a %s that was there before gets its own signals, all of them, and no other',
    (kind) => {
      const { sent, beforeStop, afterStop, sampleCount } = run(kind, 'before');
      expect({ beforeStop, afterStop }).toEqual({ beforeStop: sent, afterStop: sent + 1 });
      expect(sampleCount).toBeGreaterThan(atLeast(500));
    },
  );

  test('a handler that comes later and calls ours behind it: both work', () => {
    const { sent, beforeStop, sampleCount } = run('addon', 'after');
    expect(beforeStop).toBeGreaterThanOrEqual(sent);
    expect(sampleCount).toBeGreaterThan(atLeast(500));
  });

  test('a listener that comes later gets its signals, and the recording goes on or says why not', () => {
    const { sent, beforeStop, sampleCount, warnings } = run('listener', 'after');
    expect(beforeStop).toBeGreaterThanOrEqual(sent);
    expect(sampleCount > atLeast(500) || warnings.some((/** @type {string} */ each) => each.includes('SIGPROF'))).toBe(
      true,
    );
  });
});
