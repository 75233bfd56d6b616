'use strict';

/**
 * Wall mode against the clock: `waits.js <timer>`. The main thread works, waits in `Atomics.wait`, and sleeps in the event loop,
 * each for a time that it measures; a worker waits all the while. Prints what clock and samples say.
 */

const { Worker } = require('node:worker_threads');
const { cpuOf, report } = require('./measure');

const [timer] = process.argv.slice(2);
const TURNS = 3;
const sums = { work: 0, wait: 0, loop: 0 };

/** @param {'work' | 'wait' | 'loop'} part @param {number} begin ms */
function add(part, begin) {
  sums[part] += (performance.now() - begin) * 1e6;
}

function workOnCpu() {
  const begin = performance.now();
  const until = cpuOf() + 100e6;
  let s = 1;
  while (cpuOf() < until) for (let i = 0; i < 1_000_000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  add('work', begin);
  return s;
}

const cell = new Int32Array(new SharedArrayBuffer(4));
function waitForNobody() {
  const begin = performance.now();
  Atomics.wait(cell, 0, 0, 500);
  add('wait', begin);
}

async function sleepInLoop() {
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 500));
  add('loop', begin);
}

async function run() {
  const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => {});", { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  const session = require('../../../lib/index').start({ mode: 'wall', timer: /** @type {any} */ (timer) });
  const begin = performance.now();
  const clock = setInterval(() => {}, 1e6);
  for (let i = 0; i < TURNS; i++) {
    workOnCpu();
    waitForNobody();
    await sleepInLoop();
  }
  const wall = (performance.now() - begin) * 1e6;
  clearInterval(clock);
  const profile = await session.stop();
  worker.postMessage('end');
  const total = (/** @type {string} */ name) =>
    profile.functions.find(({ functionName }) => functionName === name)?.totalNs ?? 0;
  report({
    wall,
    sums,
    samples: { work: total('workOnCpu'), wait: total('waitForNobody'), loop: total('epoll_pwait') },
    threads: profile.threads.map(({ tid, kind, wallNs, cpuNs, sampleCount }) => {
      return { isMain: tid === process.pid, kind, wallNs, cpuNs, sampleCount };
    }),
    signals: profile.stats.signals,
    totalWallNs: profile.wallNs,
    text: profile.toText(),
    cpuProfileUs: profile.toCpuProfile().endTime,
  });
}

run();
