'use strict';

/** Work that a timer sets off every 10 ms, `timer-parts.js <rounds>`: 1 ms of CPU time in one function, then 1.5 ms in another. */

const { cpuOf, Parts, report } = require('./measure');

const rounds = Number(process.argv[2]);
const parts = new Parts();

/** @param {number} ms */
function spin(ms) {
  for (const until = cpuOf() + ms * 1e6; cpuOf() < until; ) for (let i = 0; i < 2000; i++) Math.sqrt(i);
}
function firstWork() {
  spin(1);
}
function secondWork() {
  spin(1.5);
}

let done = 0;
const timer = setInterval(() => {
  parts.measure('firstWork', firstWork);
  parts.measure('secondWork', secondWork);
  if (++done < rounds) return;
  clearInterval(timer);
  report({ main: process.pid, parts: parts.sums });
}, 10);
