'use strict';

/** Work, and as long in `Atomics.wait`, by turns; and a worker and the pool that work too. */

const crypto = require('node:crypto');
const { Worker } = require('node:worker_threads');
const { report } = require('./measure');

const cell = new Int32Array(new SharedArrayBuffer(4));

/** @param {number} ms */
function mainWork(ms) {
  const begin = performance.now();
  let s = 1;
  while (performance.now() - begin < ms) for (let i = 0; i < 1e5; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

function waitForNobody() {
  Atomics.wait(cell, 0, 0, 100);
}

for (let i = 0; i < 8; i++) {
  mainWork(100);
  waitForNobody();
}
const worker = new Worker(`const begin = performance.now(); while (performance.now() - begin < 800);`, { eval: true });
worker.once('exit', () => crypto.pbkdf2('secret', 'salt', 800_000, 64, 'sha512', () => report({})));
