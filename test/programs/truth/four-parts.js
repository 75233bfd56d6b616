'use strict';

/**
 * Time in four places: `zlib.deflateSync` and a native addon on the main thread, `crypto.pbkdf2` on the pool, a loop in a worker.
 */

const crypto = require('node:crypto');
const { Worker } = require('node:worker_threads');
const zlib = require('node:zlib');
const { cpuOfThreads, fixture, Parts, report } = require('./measure');

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { fixture, cpuOf } = require(workerData);
  function workerLoop(until) {
    let s = 1;
    while (cpuOf() < until) for (let i = 0; i < 10000000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s;
  }
  const begin = cpuOf();
  const sum = workerLoop(begin + 800e6);
  const loop = cpuOf() - begin;
  parentPort.postMessage({ tid: fixture.threadId(), loop, thread: cpuOf(), sum });`;

/** @returns {Promise<{ tid: number, loop: number, thread: number }>} */
function runWorker() {
  const worker = new Worker(WORKER, { eval: true, workerData: require.resolve('./measure') });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/** CPU time of each pool thread that did it. */
async function hashOnPool() {
  const before = cpuOfThreads();
  const hash = () =>
    new Promise((resolve, reject) => {
      crypto.pbkdf2('secret', 'salt', 400_000, 64, 'sha512', (error, key) => (error ? reject(error) : resolve(key)));
    });
  await Promise.all([hash(), hash(), hash(), hash()]);
  const used = Object.entries(cpuOfThreads()).map(([tid, ns]) => [Number(tid), ns - (before[tid] ?? 0)]);
  return used.filter(([tid, ns]) => tid !== process.pid && ns > 50e6).map(([tid, ns]) => ({ tid, ns }));
}

async function run() {
  const parts = new Parts();
  const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `${i % 977} ${i}`).join(','));
  for (let i = 0; i < 8; i++) {
    parts.measure('addon', () => fixture.burn(80));
    parts.measure('deflate', () => {
      for (let j = 0; j < 3; j++) zlib.deflateSync(data, { level: 8 });
    });
  }
  const pool = await hashOnPool();
  const worker = await runWorker();
  report({ main: process.pid, parts: parts.sums, pool, worker });
}

run();
