'use strict';

/** 1,000 ms of CPU time in one function, while two busy processes for each core want the CPU too. */

const { spawn } = require('node:child_process');
const os = require('node:os');
const { cpuMs, report } = require('./measure');

// They end by themselves, should this program not come to tell them.
const company = os.cpus().flatMap(() => [0, 1].map(() => spawn('timeout', ['30', 'sh', '-c', 'while :; do :; done'])));

/** @param {number} ms of CPU time */
function burn(ms) {
  const begin = cpuMs();
  let s = 1;
  while (cpuMs() - begin < ms) for (let i = 0; i < 1e6; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return cpuMs() - begin;
}

// When they are there.
Promise.all(company.map((child) => new Promise((resolve) => child.once('spawn', () => resolve(null))))).then(() => {
  const burnMs = burn(1000);
  for (const child of company) child.kill();
  report({ burnMs });
});
