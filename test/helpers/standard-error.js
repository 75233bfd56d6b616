'use strict';

/**
 * How far a share may be from the truth by chance, from the samples that it was made of: the standard error of a weighted mean of
 * zeros and ones, whose samples are independent of each other.
 * @param {{ weight: number, isIn: boolean }[]} samples
 * @returns {{ share: number, error: number }} both as parts of 1
 */
function shareAndError(samples) {
  let all = 0;
  let inside = 0;
  for (const { weight, isIn } of samples) {
    all += weight;
    if (isIn) inside += weight;
  }
  const share = inside / all;
  const variance = samples.reduce((sum, { weight, isIn }) => sum + (weight * ((isIn ? 1 : 0) - share)) ** 2, 0);
  return { share, error: Math.sqrt(variance) / all };
}

module.exports = { shareAndError };
