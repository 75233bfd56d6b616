'use strict';

/**
 * Workers that end by themselves, and workers that are terminated at random moments: before they run, in the middle of a
 * loop, of a collection, of an allocation. At the end `process.exit` with workers alive.
 */

const { Worker } = require('node:worker_threads');
const { join, main, randomOf } = require('./harness');

const FINISHES = `
  const { parentPort, workerData } = require('node:worker_threads');
  let s = workerData;
  for (let i = 0; i < 300000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  parentPort.postMessage(s);`;
const ENDLESS = `
  let garbage = [];
  for (let i = 0; ; i++) { garbage.push({ i, text: 'x' + i }); if (garbage.length > 5000) garbage = []; }`;

/** @param {number} data @returns {Promise<number>} */
function result(data) {
  const worker = new Worker(FINISHES, { eval: true, workerData: data });
  return new Promise((resolve, reject) => {
    let message = 0;
    worker.once('message', (value) => {
      message = value;
    });
    worker.once('error', reject).once('exit', (code) => resolve(join(message, code)));
  });
}

/**
 * Terminated once the parent has burnt its share of time. Whether terminate() gives 0 or 1 depends on how far the worker had
 * come, with and without a profiler, so only that it is one of them counts.
 * @param {number} iterations
 */
async function terminated(iterations) {
  const worker = new Worker(ENDLESS, { eval: true });
  if (iterations % 3 !== 0) await new Promise((resolve) => worker.once('online', resolve));
  for (let i = 0; i < iterations % 2_000_000; i++);
  const code = await worker.terminate();
  return code === 0 || code === 1 ? 1 : code;
}

/** @param {number} seed */
async function round(seed) {
  const random = randomOf(seed);
  let sum = seed;
  for (let i = 0; i < 3; i++) {
    const finishing = [result(random()), result(random())];
    const codes = await Promise.all([terminated(random()), terminated(random()), terminated(random())]);
    sum = codes.reduce(join, sum);
    for (const each of await Promise.all(finishing)) sum = join(sum, each);
  }
  return sum;
}

main(module, {
  exitStatus: 44,
  round,
  async end(status) {
    const workers = Array.from({ length: 3 }, () => new Worker(ENDLESS, { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
    process.exit(status);
  },
});
