'use strict';

const { numberFunctions, totalWeight, weightsOf, STATE_GC } = require('./model');

/**
 * The time of each function in slices of the recording that hold the same time: what its noise is estimated from. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {{ frame: Frame, ns: number, samples: number, slices: Float64Array }} FunctionSlices `slices`: self time in each
 */

/** The order of all samples in time, threads mixed. @param {Float64Array} times */
function orderOf(times) {
  return Uint32Array.from(times.keys()).sort((a, b) => times[a] - times[b] || a - b);
}

/**
 * Self time by function and slice. Collections and compilation are left out: they are no functions, and run when the engine likes.
 * @param {Recording} recording
 * @param {number} count of slices
 * @returns {{ functions: FunctionSlices[], sliceNs: Float64Array, functionNs: number, samples: number, ns: number }} `functionNs`: of all
 *   functions; `ns`: of all samples
 */
function sliceFunctions(recording, count) {
  const { frames, stackFrames, sampleStacks, sampleStates, sampleTimes } = recording;
  const { functionOf, representatives } = numberFunctions(frames);
  const weights = weightsOf(recording);
  const isFunction = representatives.map(({ kind }) => kind === 'js' || kind === 'native' || kind === 'builtin');
  const numbers = Array.from(sampleStacks, (stack, i) => {
    if (stack === 0 || (sampleStates[i] & STATE_GC) !== 0) return -1;
    const number = functionOf[stackFrames[stack]];
    return isFunction[number] ? number : -1;
  });
  const functionNs = numbers.reduce((sum, number, i) => (number < 0 ? sum : sum + weights[i]), 0);
  const sliceNs = new Float64Array(count);
  /** @type {Map<number, FunctionSlices>} */
  const found = new Map();
  let done = 0;
  let samples = 0;
  for (const i of orderOf(sampleTimes)) {
    const number = numbers[i];
    if (number < 0) continue;
    // The middle of a sample decides which slice it is in.
    const slice = Math.min(count - 1, Math.floor((count * (done + weights[i] / 2)) / functionNs));
    done += weights[i];
    let own = found.get(number);
    if (own === undefined) {
      own = { frame: representatives[number], ns: 0, samples: 0, slices: new Float64Array(count) };
      found.set(number, own);
    }
    own.ns += weights[i];
    own.samples++;
    own.slices[slice] += weights[i];
    sliceNs[slice] += weights[i];
    samples++;
  }
  return { functions: [...found.values()], sliceNs, functionNs, samples, ns: totalWeight(recording) };
}

module.exports = { sliceFunctions };
