'use strict';

/** Work that a timer sets off every 10 ms: 1 ms of one function, then 1.5 ms of another. */

const { report } = require('./measure');

const ROUNDS = 1000;

/** @param {number} ms */
function spin(ms) {
  const begin = performance.now();
  while (performance.now() - begin < ms);
  return performance.now() - begin;
}
function firstWork() {
  return spin(1);
}
function secondWork() {
  return spin(1.5);
}

const took = { firstWork: 0, secondWork: 0 };
let rounds = 0;
const timer = setInterval(() => {
  took.firstWork += firstWork();
  took.secondWork += secondWork();
  if (++rounds < ROUNDS) return;
  clearInterval(timer);
  report({ parts: took });
}, 10);
