'use strict';

/**
 * Work that a timer sets off every 10 ms: 1 ms of CPU time in one function, then 1.5 ms in another; or of another period and length,
 * all in milliseconds. `timer-parts.js <rounds> [<period> <first> <second>]`
 */

const { cpuOf, Parts, report } = require('./measure');

const [rounds, period = 10, firstMs = 1, secondMs = 1.5] = process.argv.slice(2).map(Number);
const parts = new Parts();

/** @param {number} ms */
function spin(ms) {
  for (const until = cpuOf() + ms * 1e6; cpuOf() < until; ) for (let i = 0; i < 2000; i++) Math.sqrt(i);
}
function firstWork() {
  spin(firstMs);
}
function secondWork() {
  spin(secondMs);
}

let done = 0;
const timer = setInterval(() => {
  parts.measure('firstWork', firstWork);
  parts.measure('secondWork', secondWork);
  if (++done < rounds) return;
  clearInterval(timer);
  report({ main: process.pid, parts: parts.sums });
}, period);
