'use strict';

/** Several antagonists at once: each in a worker of its own, with collections and recursion on the main thread. */

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { join, main } = require('./harness');

const IN_WORKERS = ['code-churn', 'deopt-churn', 'regexp', 'wasm', 'gc-storm'];
const SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads');
  Promise.resolve(require(workerData.file).round(workerData.seed)).then((sum) => parentPort.postMessage(sum));`;

/** @param {string} name @param {number} seed @returns {Promise<number>} */
function inWorker(name, seed) {
  const worker = new Worker(SOURCE, { eval: true, workerData: { file: path.join(__dirname, `${name}.js`), seed } });
  return new Promise((resolve, reject) => {
    let sum = 0;
    worker.once('message', (value) => {
      sum = value;
    });
    worker.once('error', reject).once('exit', (code) => resolve(join(sum, code)));
  });
}

/** @param {number} seed */
async function round(seed) {
  const workers = IN_WORKERS.map((name, i) => inWorker(name, seed + i));
  let sum = await require('./deep-recursion').round(seed);
  sum = join(sum, await require('./gc-storm').round(seed));
  for (const each of await Promise.all(workers)) sum = join(sum, each);
  return sum;
}

main(module, { exitStatus: 53, round });
