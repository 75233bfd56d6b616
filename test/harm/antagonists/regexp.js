'use strict';

/** The regular expression engine: compiled and interpreted, backtracking, thousands of patterns, replaced by functions. */

const { join, main, randomOf } = require('./harness');

/** @param {number} seed */
function round(seed) {
  const random = randomOf(seed);
  const words = Array.from({ length: 3000 }, () => (random() % 46_656).toString(36));
  const text = words.join(' ');
  let sum = join(seed, (text.match(/(\w+)\s+(?=\1)/g) ?? []).length);
  for (let i = 0; i < 150; i++) {
    const pattern = new RegExp(`(${words[i]}|${words[i + 1]})[a-m]*(?<tail>\\d+)?`, i % 2 === 0 ? 'g' : 'gu');
    sum = join(sum, text.replace(pattern, (whole) => whole.toUpperCase()).length + (text.match(pattern)?.length ?? 0));
  }
  for (let n = 14; n < 20; n++) sum = join(sum, /^(a+)+$/.test(`${'a'.repeat(n)}!`) ? 1 : 2);
  return sum;
}

main(module, { exitStatus: 46, round });
