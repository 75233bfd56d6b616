'use strict';

const { STATE_GC, samplesOfThread, weightsOf } = require('../recording/model');

/**
 * What of one thread has a beginning and an end: garbage collections and blocks, as far as samples show them. A run of samples in
 * a collection is one; so is a run in one block. Their ends are as exact as the interval between samples. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {{ kind: 'collection' | 'block', name: string, beginNs: number, endNs: number }} Interval since the start
 */

/** The sample's block and those around it, outermost first. @param {Recording} recording @param {number} block as in `sampleBlocks` */
function blockName({ blocks }, block) {
  const names = [];
  for (let at = block; at !== 0; at = blocks[at - 1].parent) {
    const { track, block: name } = blocks[at - 1];
    names.push(`${track}/${name}`);
  }
  return names.reverse().join(' > ');
}

/**
 * Runs of samples of one thread that have the same value, other than 0.
 * @param {Recording} recording
 * @param {number} threadId
 * @param {(sample: number) => number} keyOf
 * @returns {Generator<{ value: number, beginNs: number, endNs: number }>}
 */
function* runsOf(recording, threadId, keyOf) {
  const { sampleTimes } = recording;
  const weights = weightsOf(recording);
  const { begin, end } = samplesOfThread(recording, threadId);
  let run = { value: 0, beginNs: 0, endNs: 0 };
  for (let i = begin; i < end; i++) {
    const value = keyOf(i);
    if (value === run.value) {
      run.endNs = sampleTimes[i];
      continue;
    }
    if (run.value !== 0) yield run;
    run = { value, beginNs: Math.max(run.endNs, sampleTimes[i] - weights[i], 0), endNs: sampleTimes[i] };
  }
  if (run.value !== 0) yield run;
}

/**
 * @param {Recording} recording
 * @param {number} threadId
 * @returns {Interval[]} in order of their beginnings
 */
function intervalsOf(recording, threadId) {
  const { sampleStates, sampleBlocks } = recording;
  /** @type {Interval[]} */
  const all = [];
  for (const { beginNs, endNs } of runsOf(recording, threadId, (i) => sampleStates[i] & STATE_GC))
    all.push({ kind: 'collection', name: 'garbage collection', beginNs, endNs });
  for (const { value, beginNs, endNs } of runsOf(recording, threadId, (i) => sampleBlocks[i]))
    all.push({ kind: 'block', name: blockName(recording, value), beginNs, endNs });
  return all.sort((a, b) => a.beginNs - b.beginNs);
}

module.exports = { intervalsOf };
