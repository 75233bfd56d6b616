'use strict';

/**
 * A writer that wakes a reader on the same CPU, which takes the CPU away from it: rounds of some computing and one byte into a pipe,
 * and for each byte 100 µs of work by a worker thread. The writer loses the CPU in the system call, every time.
 * `shared-core.js <ms of the writer's CPU time>`
 */

const fs = require('node:fs');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { cpuOf, fixture, Parts, report } = require('./measure');

/** @param {number} us */
function spin(us) {
  let sum = 0;
  for (const until = cpuOf() + us * 1000; cpuOf() < until; ) for (let i = 0; i < 2000; i++) sum += Math.sqrt(i);
  return sum;
}

const byte = Buffer.alloc(1);

/** @param {number} fd */
function read(fd) {
  fixture.pinThread();
  while (fs.readSync(fd, byte) === 1) spin(100);
}

async function write() {
  fixture.pinThread();
  const ends = fixture.openPipe();
  const [from, to] = [Math.floor(ends / 65536), ends % 65536];
  const reader = new Worker(__filename, { workerData: from });
  await new Promise((resolve) => reader.once('online', resolve));
  const parts = new Parts();
  const compute = () => spin(150);
  const writeByte = () => fs.writeSync(to, byte);
  for (const end = cpuOf() + Number(process.argv[2]) * 1e6; cpuOf() < end; ) {
    parts.measure('compute', compute);
    parts.measure('writeByte', writeByte);
  }
  report({ main: process.pid, parts: parts.sums });
  fs.closeSync(to);
}

if (isMainThread) write();
else read(workerData);
