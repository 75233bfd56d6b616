'use strict';

/** Stacks of 10,000 frames, and stacks without end that end in a RangeError. */

const { join, main } = require('./harness');

/** @param {number} depth @param {number} x @returns {number} */
function descend(depth, x) {
  if (depth === 0) return burn(x);
  const y = descend(depth - 1, (x * 31 + depth) >>> 0);
  return (y ^ depth) >>> 0;
}

/** @param {number} x */
function burn(x) {
  let s = x;
  for (let i = 0; i < 400_000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

/** @param {number} x @returns {number} */
function descendForEver(x) {
  return descendForEver(x + 1) + 1;
}

/** Through builtins and back. @param {number} depth @param {number} x @returns {number} */
function descendMixed(depth, x) {
  if (depth === 0) return burn(x);
  return [depth].map((d) => descendMixed(d - 1, x + d))[0] >>> 0;
}

/** @param {number} seed */
function round(seed) {
  let sum = join(seed, descend(10_000, seed));
  sum = join(sum, descendMixed(1000, seed));
  for (let i = 0; i < 20; i++) {
    try {
      descendForEver(i);
      return 0;
    } catch (error) {
      sum = join(sum, error instanceof RangeError ? 1 : 2);
    }
  }
  return sum;
}

main(module, { exitStatus: 43, round });
