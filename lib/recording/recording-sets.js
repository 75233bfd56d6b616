'use strict';

const { processesOfThreads } = require('./recorded-processes');

/**
 * Some of a recording's samples, as a recording. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/**
 * The samples whose index is in `kept`, with sums of their own. Counters of the recording as a whole stay.
 * @template {Pick<Recording, Exclude<keyof Recording, 'frames'>>} T
 * @param {T} recording
 * @param {(index: number) => boolean} isKept
 * @param {number[]} [processIds] processes that are kept even where none of their samples is
 * @returns {T}
 */
function filterRecording(recording, isKept, processIds) {
  const { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs, sampleStacks, sampleStates } = recording;
  const { sampleBlocks } = recording;
  const kept = Uint32Array.from(sampleTimes.keys()).filter(isKept);
  const cpuNs = new Map();
  const wallNs = new Map();
  const counts = new Map();
  for (const i of kept) {
    wallNs.set(sampleThreads[i], (wallNs.get(sampleThreads[i]) ?? 0) + sampleWallNs[i]);
    cpuNs.set(sampleThreads[i], (cpuNs.get(sampleThreads[i]) ?? 0) + sampleCpuNs[i]);
    counts.set(sampleThreads[i], (counts.get(sampleThreads[i]) ?? 0) + 1);
  }
  const threads = recording.threads
    .filter(({ id }) => counts.has(id))
    .map((thread) => ({
      ...thread,
      cpuNs: cpuNs.get(thread.id),
      wallNs: wallNs.get(thread.id),
      sampleCount: counts.get(thread.id),
    }));
  return {
    ...recording,
    ...processesOfThreads(recording, threads, processIds),
    sampleThreads: sampleThreads.filter((_, i) => isKept(i)),
    sampleTimes: Float64Array.from(kept, (i) => sampleTimes[i]),
    sampleCpuNs: Float64Array.from(kept, (i) => sampleCpuNs[i]),
    sampleWallNs: Float64Array.from(kept, (i) => sampleWallNs[i]),
    sampleStacks: Uint32Array.from(kept, (i) => sampleStacks[i]),
    sampleStates: Uint8Array.from(kept, (i) => sampleStates[i]),
    sampleBlocks: Uint32Array.from(kept, (i) => sampleBlocks[i]),
  };
}

/**
 * The part of a recording in a span of its time, as a recording of its own: times since the span's start.
 * @template {Pick<Recording, Exclude<keyof Recording, 'frames'>>} T also one whose frames are packed
 * @param {T} recording
 * @param {{ fromNs: number, toNs: number }} span since the recording's start
 * @param {(timeNs: number) => boolean} isKept whether what happened then belongs to it
 * @returns {T}
 */
function spanOfRecording(recording, { fromNs, toNs }, isKept) {
  const some = filterRecording(recording, (i) => isKept(recording.sampleTimes[i]));
  return {
    ...some,
    startTimeMs: recording.startTimeMs + fromNs / 1e6,
    durationNs: toNs - fromNs,
    sampleTimes: some.sampleTimes.map((ns) => ns - fromNs),
    marks: some.marks.filter(({ timeNs }) => isKept(timeNs)).map((mark) => ({ ...mark, timeNs: mark.timeNs - fromNs })),
  };
}

module.exports = { filterRecording, spanOfRecording };
