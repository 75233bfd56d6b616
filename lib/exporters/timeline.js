'use strict';

/**
 * Lays samples of one thread on a time line in whole microseconds. Pure.
 *
 * A sample ends at its time and lasts as long as the CPU time it stands for, so it begins at `end - cpu`. (At the kernel's
 * tick that is a share of its neighbours' time, and can be an eighth longer than the time since the one before.) Durations
 * come first, positions second: a sample that would begin before its predecessor ends is moved later, and a gap shorter
 * than the tolerance (an interrupt, another program's time slice) is not shown where it is but added to the next longer
 * one; otherwise each function call on a flame chart would be cut in pieces at every tick.
 *
 * Rounding: the sum of all durations is within half a microsecond of the true CPU time, each function's within one.
 */

/**
 * The whole microseconds of each function: the differences of the rounded running total.
 * @template Key
 * @param {ArrayLike<number>} cpuNs
 * @param {Key[]} functions
 * @returns {Map<Key, { ns: number, us: number }>}
 */
function roundFunctions(cpuNs, functions) {
  /** @type {Map<Key, { ns: number, us: number }>} */
  const sums = new Map();
  functions.forEach((key, i) => {
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ns: cpuNs[i], us: 0 });
    else sum.ns += cpuNs[i];
  });
  let totalNs = 0;
  let totalUs = 0;
  for (const sum of sums.values()) {
    totalNs += sum.ns;
    const us = Math.round(totalNs / 1000);
    sum.us = us - totalUs;
    totalUs = us;
  }
  return sums;
}

/**
 * @template Key
 * @param {ArrayLike<number>} endsNs when each sample was taken, ascending
 * @param {ArrayLike<number>} cpuNs the CPU time that each stands for
 * @param {Key[]} functions which function each is due to
 * @param {number} toleranceUs
 * @returns {{ begins: number[], durations: number[] }} microseconds; begins ascend and durations do not overlap
 */
function layOutSamples(endsNs, cpuNs, functions, toleranceUs) {
  const sums = roundFunctions(cpuNs, functions);
  /** @type {Map<Key, { ns: number, us: number }>} */
  const done = new Map();
  /** @type {number[]} */
  const begins = [];
  /** @type {number[]} */
  const durations = [];
  let cursor = 0;
  functions.forEach((key, i) => {
    const sum = /** @type {{ ns: number, us: number }} */ (sums.get(key));
    const so = done.get(key) ?? { ns: 0, us: 0 };
    const ns = so.ns + cpuNs[i];
    const us = sum.ns > 0 ? Math.min(sum.us, Math.round((ns / sum.ns) * sum.us)) : 0;
    const begin = Math.round((endsNs[i] - cpuNs[i]) / 1000);
    const isGap = begin - cursor > toleranceUs;
    begins.push(isGap ? begin : cursor);
    durations.push(us - so.us);
    done.set(key, { ns, us });
    cursor = begins[i] + durations[i];
  });
  return { begins, durations };
}

module.exports = { layOutSamples };
