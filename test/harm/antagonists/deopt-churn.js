'use strict';

/** Functions that are optimized and deoptimized without end: new shapes, new types, holes, overflows. */

const { join, main, randomOf } = require('./harness');

/** @param {any} o */
const fieldOf = (o) => o.value + 1;

/** @param {any[]} objects @param {(o: any) => any} read */
function sumOf(objects, read) {
  let sum = 0;
  for (let i = 0; i < 3000; i++) sum = (sum + Number(read(objects[i % objects.length]))) | 0;
  return sum;
}

/** @param {number} random @param {number} i @returns {any} */
function shape(random, i) {
  const pad = `p${random % 50}`;
  switch (random % 5) {
    case 0:
      return { value: i };
    case 1:
      return { [pad]: 1, value: i + 0.5 };
    case 2:
      return { value: `${i}` };
    case 3:
      return Object.create({ value: i });
    default:
      return { [pad]: 0, a: 1, value: 2 ** 31 + i };
  }
}

/** @param {number} seed */
function round(seed) {
  const random = randomOf(seed);
  let sum = 0;
  for (let i = 0; i < 40; i++) {
    // A fresh closure has a fresh life of feedback, optimization and deoptimization.
    const read = new Function('fieldOf', 'return function read(o) { return fieldOf(o); }')(fieldOf);
    const objects = [shape(0, i)];
    for (let step = 0; step < 12; step++) {
      sum = join(sum, sumOf(objects, read));
      objects.push(shape(random(), step));
    }
  }
  return sum;
}

main(module, { exitStatus: 45, round });
