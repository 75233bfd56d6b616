'use strict';

/**
 * Whole parts of a sum, by largest remainders: they add up to `parts`, and none is off by one or more.
 * @param {number[]} values none negative
 * @param {number} parts e.g. 1000 for tenths of a percent
 * @returns {number[]} all 0 where the values are
 */
function apportion(values, parts) {
  const all = values.reduce((sum, value) => sum + value, 0);
  if (!(all > 0)) return values.map(() => 0);
  const exact = values.map((value) => (value / all) * parts);
  const whole = exact.map(Math.floor);
  const missing = Math.round(parts - whole.reduce((sum, value) => sum + value, 0));
  const byRemainder = exact.map((value, i) => ({ i, rest: value - whole[i] })).sort((a, b) => b.rest - a.rest);
  for (const { i } of byRemainder.slice(0, missing)) whole[i]++;
  return whole;
}

module.exports = { apportion };
