'use strict';

/** As the program `inlined`, with places in two of its functions that nothing ever comes to, for break points. Prints lines. */

const fs = require('node:fs');
const { report } = require('./measure');

const RUN_MS = 700;

/** Its calls are places for break points that stop nothing. @returns {never} */
function never() {
  throw new Error('this is not called');
}

/** @param {number} seed */
function leaf(seed) {
  let s = seed;
  if (seed === 0.5) return never(); // leaf never does
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
  s = (((s % 7919) + 1) * 31) | 0;
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

/** @param {number} a @param {number} b */
function mid(a, b) {
  const sum = (a + b) | 0;
  if (sum === 0.5) return never(); // mid never does
  return leaf(sum) ^ 1; // mid calls leaf
}

/** @param {number} n */
function outer(n) {
  let s = 0;
  for (let i = 0; i < n; i++) {
    s = mid(s, i); // outer calls mid
  }
  return s;
}

const until = performance.now() + RUN_MS;
let s = 0;
while (performance.now() < until) s ^= outer(20_000);

const source = fs.readFileSync(__filename, 'utf8').split('\n');
/** @param {string} text */
const lineOf = (text) => 1 + source.findIndex((line) => line.includes(text) && !line.includes('lineOf'));
const lines = { leaf: lineOf('function leaf'), mid: lineOf('// mid calls leaf'), outer: lineOf('// outer calls mid') };
report({ main: process.pid, lines, s });
