'use strict';

const { comparable } = require('./comparable');
const { functionKey, displayName } = require('./frames');
const { sliceFunctions } = require('./batches');

/**
 * Which functions, and whether the whole, use more CPU time in one recording than in another by more than a share, beyond noise. The
 * statistics, and what they cannot know, are in docs/decisions/0045-slower-beyond-noise.md. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../index').Comparison} Comparison
 * @typedef {import('./batches').FunctionSlices} FunctionSlices
 * @typedef {ReturnType<typeof sliceFunctions>} Sliced
 * @typedef {{ was: FunctionSlices, is: FunctionSlices, weight: number, log: number, variance: number }} Pair `log`: of after by before;
 *   `variance`: of it, by the sampling
 */

/** Slices of a recording; each should hold some tens of samples. */
const MOST_SLICES = 40;
const SLICE_SAMPLES = 25;
/** Of the differences between slices, the largest ones are a program's phases; what the others have of all squares of normal noise. */
const PHASES = 0.077;
const KEPT_SQUARES = 0.68;
/** Of the time, in one of the recordings, from which on a function is compared. */
const LEAST_SHARE = 0.01;
/** Of all comparisons together: that one of them is a false alarm. */
const FALSE_ALARM = 0.002;
/** The whole's part of it; the functions share the rest by their time. */
const WHOLE_PART = 0.2;
/**
 * What differs from run to run of one program (standard deviations, relative): of the whole, at least; of a function at least, and where
 * fewer functions than these are there to estimate it from.
 */
const WHOLE_NOISE = 0.03;
const LEAST_NOISE = 0.01;
const USUAL_NOISE = 0.03;
const USUAL_RUN = { noise: WHOLE_NOISE, freedom: Number.POSITIVE_INFINITY };
const LEAST_OTHERS = 3;
/** A function that has changed by more has changed: it says nothing of the noise. */
const CERTAIN_CHANGE = Math.log(1.5);

/** The value that a standard normal variable exceeds with a probability: Abramowitz and Stegun 26.2.23, off by less than 4.5e-4. @param {number} p at most 0.5 */
function normalQuantile(p) {
  const t = Math.sqrt(-2 * Math.log(p));
  return (
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
  );
}

/**
 * Relative variance of a function's time, by the sampling: from the differences between neighbouring slices (von Neumann), so that slow
 * changes and phases of a program are no noise, and samples that come in bursts are.
 * @param {Sliced} side @param {FunctionSlices} row
 */
function samplingVariance({ functionNs, samples, sliceNs }, { ns, samples: own, slices }) {
  const share = ns / functionNs;
  const binomial = Math.max(1 - share, 1 / samples) / own;
  const count = sliceNs.length;
  if (count < MOST_SLICES / 2) return binomial;
  const deviations = Array.from(slices, (each, i) => each - share * sliceNs[i]);
  const squares = deviations.slice(1).map((each, i) => (each - deviations[i]) ** 2);
  const kept = squares.sort((a, b) => a - b).slice(0, Math.ceil(squares.length * (1 - PHASES)));
  const mean = kept.reduce((sum, each) => sum + each, 0) / kept.length / KEPT_SQUARES;
  // The sum of all slices has count times the variance of one, which half a squared difference is. Periodic samples have less than
  // independent ones, and as few squares may have less by accident.
  const estimate = (count * mean) / 2 / ns ** 2;
  return estimate < binomial ? (estimate + binomial) / 2 : estimate;
}

/** @param {Sliced} before @param {Sliced} after @returns {Pair[]} functions that are in both, and have some time */
function pairsOf(before, after) {
  const earlier = new Map(before.functions.map((row) => [functionKey(row.frame), row]));
  return after.functions.flatMap((is) => {
    // What is only in one of them is new, gone or renamed, and not slower.
    const was = earlier.get(functionKey(is.frame));
    if (was === undefined) return [];
    const shares = [was.ns / before.functionNs, is.ns / after.functionNs];
    if (Math.max(...shares) < LEAST_SHARE) return [];
    const variance = samplingVariance(before, was) + samplingVariance(after, is);
    return [{ was, is, weight: (shares[0] + shares[1]) / 2, log: Math.log(is.ns / was.ns), variance }];
  });
}

/** The same of Student's t, from the normal one: after Wallace (1959). @param {number} normal @param {number} freedom at least 3 */
function studentQuantile(normal, freedom) {
  const exponent = (normal ** 2 * (freedom - 1.5)) / (freedom - 1) ** 2;
  return Math.sqrt(freedom * Math.expm1(exponent));
}

/**
 * How much functions differ from run to run beyond their sampling (standard deviation, relative): so much that these have differed by it
 * (Paule and Mandel; what chance alone explains is left to it), as nearly all of them have not been changed.
 * @param {Pair[]} others than the one that is judged
 * @returns {{ noise: number, freedom: number }} `freedom`: degrees of freedom of the estimate
 */
function runNoise(others) {
  const unchanged = others.filter(({ log, variance }) => Math.abs(log) < CERTAIN_CHANGE + 3 * Math.sqrt(variance));
  const freedom = unchanged.length;
  if (freedom < LEAST_OTHERS) return { noise: USUAL_NOISE, freedom: Number.POSITIVE_INFINITY };
  const expected = freedom;
  const isMore = (/** @type {number} */ noise) =>
    unchanged.reduce((sum, { log, variance }) => sum + log ** 2 / (variance + 2 * noise ** 2), 0) > expected;
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (isMore(middle)) low = middle;
    else high = middle;
  }
  return high < LEAST_NOISE ? { noise: LEAST_NOISE, freedom: Number.POSITIVE_INFINITY } : { noise: high, freedom };
}

/** Half the width of the interval, of a logarithm. @param {number} chance of a false alarm @param {number} variance @param {ReturnType<typeof runNoise>} run */
function marginOf(chance, variance, { noise, freedom }) {
  const normal = normalQuantile(chance);
  const student = Number.isFinite(freedom) ? studentQuantile(normal, freedom) : normal;
  return Math.sqrt(normal ** 2 * variance + student ** 2 * 2 * noise ** 2);
}

/** A change and what it may be, as relative increases. @param {number} log @param {number} margin @param {number} limit */
function judge(log, margin, limit) {
  const interval = /** @type {[number, number]} */ ([Math.exp(log - margin) - 1, Math.exp(log + margin) - 1]);
  const change = Math.exp(log) - 1;
  return { change, interval, isSlower: change > limit && interval[0] > 0 };
}

/** @param {[Recording, Recording]} pair @returns {[Sliced, Sliced]} */
function sliceBoth([earlier, later]) {
  const samples = Math.min(earlier.sampleTimes.length, later.sampleTimes.length);
  const count = Math.max(1, Math.min(MOST_SLICES, Math.floor(samples / SLICE_SAMPLES)));
  return [sliceFunctions(earlier, count), sliceFunctions(later, count)];
}

/**
 * @param {Recording} earlier
 * @param {Recording} later in the same view
 * @param {number} limit relative increase from which on it is an alarm, e.g. 0.05
 * @returns {Comparison}
 * @throws {RangeError} `ERR_SPPROF_NOT_ALIKE`
 */
function findRegressions(earlier, later, limit) {
  const [before, after] = sliceBoth(comparable(earlier, later));
  const pairs = pairsOf(before, after);
  const weights = pairs.reduce((sum, { weight }) => sum + weight, 0);
  const functions = pairs.map((pair) => {
    const { was, is, log, variance, weight } = pair;
    const run = runNoise(pairs.filter((other) => other !== pair));
    const margin = marginOf((FALSE_ALARM * (1 - WHOLE_PART) * weight) / weights, variance, run);
    const { url, line, column, kind, module } = is.frame;
    return {
      ...{ functionName: displayName(is.frame), url, line, column, kind, module },
      ...{ beforeNs: was.ns, afterNs: is.ns, ...judge(log, margin, limit) },
    };
  });
  const run = runNoise(pairs);
  const log = before.ns > 0 && after.ns > 0 ? Math.log(after.ns / before.ns) : 0;
  const margin = marginOf(FALSE_ALARM * WHOLE_PART, 0, run.noise > WHOLE_NOISE ? run : USUAL_RUN);
  const whole = { beforeNs: before.ns, afterNs: after.ns, ...judge(log, margin, limit) };
  functions.sort(
    (a, b) => Number(b.isSlower) - Number(a.isSlower) || b.afterNs - b.beforeNs - (a.afterNs - a.beforeNs),
  );
  return {
    ...{ limit, falseAlarm: FALSE_ALARM, whole, functions },
    isSlower: whole.isSlower || functions.some((row) => row.isSlower),
  };
}

module.exports = { FALSE_ALARM, LEAST_SHARE, WHOLE_NOISE, findRegressions, normalQuantile };
