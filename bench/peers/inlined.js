'use strict';

/** A small function that the optimizing compiler puts into its caller's loop, where it does all but a trifle of the work. */

const { report } = require('./measure');

/** @param {number} seed */
function smallWork(seed) {
  let s = seed;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  return s;
}

/** @param {number} n */
function hotLoop(n) {
  let s = 0;
  for (let i = 0; i < n; i++) s = smallWork(s + i);
  return s;
}

const until = performance.now() + 2000;
let s = 0;
while (performance.now() < until) s ^= hotLoop(20_000);
report({ s });
