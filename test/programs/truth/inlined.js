'use strict';

/** Three functions that the optimizing compiler makes one loop of; the innermost does nearly all the work. Prints lines. */

const fs = require('node:fs');
const { report } = require('./measure');

const RUN_MS = 700;

/** @param {number} seed */
function leaf(seed) {
  let s = seed;
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
