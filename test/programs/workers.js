'use strict';

// Two workers that work, each in a function of its own name, and a main thread that waits for them.

const { Worker, isMainThread, workerData } = require('node:worker_threads');

function workerLoop() {
  let sum = 0;
  // A number of turns and not a time: a busy machine must not make the work less than the start.
  for (let turn = 0; turn < 2000; turn++) {
    for (let i = 0; i < 2e5; i++) sum += Math.sqrt(i);
  }
  return sum;
}

if (isMainThread) {
  for (const name of ['one', 'two']) new Worker(__filename, { workerData: name });
} else {
  process.stdout.write(`${workerData} ${workerLoop() > 0}\n`);
}
