'use strict';

/** Places of frames, looked up beside the event loop. test/source-maps and test/source-positions have what is found. */

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { pathToFileURL } = require('node:url');
const { placeFrames, placeHere } = require('../../lib/places/place-frames');
const { js } = require('../helpers/recording');
const { temporaryFolder } = require('../helpers/run-cli');

// Holds and shares are measured, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const folder = temporaryFolder();
const LINES = 20_000;

/** A bundle of several megabytes with an external map of as many, as servers have them. */
function writeBundle() {
  const lines = Array.from({ length: LINES }, (_, i) => `function bundled${i}(){return ${'1+'.repeat(100)}1}`);
  const text = `${lines.join('\n')}\n//# sourceMappingURL=bundle.js.map\n`;
  fs.writeFileSync(path.join(folder, 'bundle.js'), text);
  const map = {
    ...{ version: 3, names: [], sources: ['original.ts'], sourcesContent: ['x'.repeat(4 << 20)] },
    // Line i of the bundle is line 2 i of the source.
    mappings: `AAAA${';AAEA'.repeat(LINES - 1)}`,
  };
  fs.writeFileSync(path.join(folder, 'bundle.js.map'), JSON.stringify(map));
  return { url: path.join(folder, 'bundle.js'), sourceLength: text.length };
}

const bundle = writeBundle();

/** @param {number} count */
function framesOfBundle(count) {
  return Array.from({ length: count }, (_, i) => js(`bundled${i}`, { ...bundle, line: i + 1, column: 1 }));
}

test('frames get their original places, and the problems come back', async () => {
  const broken = path.join(folder, 'broken.js');
  fs.writeFileSync(broken, 'function a(){}\n//# sourceMappingURL=nowhere.map\n');
  const frames = [...framesOfBundle(3), js('a', { url: broken, line: 1, column: 11, sourceLength: 0 })];
  const problems = await placeFrames(frames);
  expect(frames.slice(0, 3).map(({ url, line }) => [url, line])).toEqual(
    [1, 3, 5].map((line) => [path.join(folder, 'original.ts'), line]),
  );
  expect(frames[3].url).toBe(broken);
  expect(problems).toEqual([expect.stringMatching(/^the source map of .*broken\.js is not used: ENOENT/)]);
});

test('they are those that are found in one go', async () => {
  const frames = framesOfBundle(2000);
  const again = structuredClone(frames);
  expect(await placeFrames(frames)).toEqual(placeHere(again, { sourceMaps: true, recorded: [] }));
  expect(frames).toEqual(again);
});

/** For how long this thread has been ready to run while others had the cores, ms (the kernel's sched_info). */
function waitedForCoreMs() {
  return Number(fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6;
}

/**
 * The longest time, ms, between two turns of the event loop until `promise` settles, without what it waited for a core.
 * @param {Promise<unknown>} promise
 */
async function longestHold(promise) {
  let isOver = false;
  promise.finally(() => {
    isOver = true;
  });
  const now = () => performance.now() - waitedForCoreMs();
  let longest = 0;
  for (let last = now(); !isOver; ) {
    await new Promise(setImmediate);
    const turn = now();
    longest = Math.max(longest, turn - last);
    last = turn;
  }
  return longest;
}

test('a map of megabytes does not hold up the event loop: 20 ms at most', async () => {
  const took = [];
  for (let i = 0; i < 5; i++) took.push(await longestHold(placeFrames(framesOfBundle(2000))));
  took.sort((a, b) => a - b);
  expect(took[2]).toBeLessThan(20);
  // It is work: here it takes longer.
  const here = Promise.resolve().then(() => placeHere(framesOfBundle(2000), { sourceMaps: true, recorded: [] }));
  expect(await longestHold(here)).toBeGreaterThan(20);
});

test('scripts that cannot be read, are no files or have no map keep what V8 knew, and no thread is started', async () => {
  const plain = path.join(folder, 'plain.js');
  fs.writeFileSync(plain, 'function b(){}\n');
  const frames = [
    plain,
    path.join(folder, 'gone.js'),
    pathToFileURL(folder).href,
    'node:fs',
    'evalmachine.<anonymous>',
    '',
  ].map((url) => js('b', { url, line: 1, column: 11 }));
  const before = structuredClone(frames);
  const tasks = fs.readdirSync('/proc/self/task').length;
  const placed = placeFrames(frames);
  expect(fs.readdirSync('/proc/self/task').length).toBeLessThanOrEqual(tasks + 4); // libuv's pool
  expect(await placed).toEqual([]);
  expect(frames).toEqual(before);
});
