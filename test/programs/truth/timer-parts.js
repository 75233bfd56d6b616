'use strict';

/**
 * Work that a timer sets off every 10 ms: 1 ms of CPU time in one function, then 1.5 ms in another; or of another period and length,
 * all in milliseconds, and with periods that differ by a part of themselves either way, at random.
 * `timer-parts.js <rounds> [<period> <first> <second> [<part>]]`
 */

const { cpuOf, Parts, report } = require('./measure');

const [rounds, period = 10, firstMs = 1, secondMs = 1.5, part = 0] = process.argv.slice(2).map(Number);
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
function round() {
  parts.measure('firstWork', firstWork);
  parts.measure('secondWork', secondWork);
  if (++done >= rounds) {
    clearInterval(timer);
    report({ main: process.pid, parts: parts.sums });
  } else if (part !== 0) {
    setTimeout(round, period * (1 - part + 2 * part * Math.random()));
  }
}
const timer = part === 0 ? setInterval(round, period) : setTimeout(round, period);
