'use strict';

const { GC, displayName, functionKey } = require('./frames');

/**
 * What is computed from a recording's columns, for all exporters: which samples are a thread's, which frame a sample's
 * time is due to, and the functions with their self and total times. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('../index').FunctionSummary} FunctionSummary
 */

/** Bits of `sampleStates`. */
const STATE_GC = 1;
const STATE_TRUNCATED = 2;
const STATE_INCOMPLETE = 4;
const STATE_OFF_CPU = 8;

/** Stands for a garbage collection in lists of functions. @type {Frame} */
const GC_FRAME = Object.freeze({
  functionName: GC,
  url: '',
  scriptId: 0,
  line: 0,
  column: 0,
  sampledLine: 0,
  sampledColumn: 0,
  kind: 'gc',
  tier: '',
  inlined: false,
  module: '',
  startOffset: -1,
  sourceLength: 0,
});

/**
 * What each sample stands for, nanoseconds: CPU time, or in wall mode wall time.
 * @param {Recording} recording
 */
function weightsOf(recording) {
  return recording.mode === 'wall' ? recording.sampleWallNs : recording.sampleCpuNs;
}

/**
 * The samples of one thread, as a range of the columns (they are ordered by thread).
 * @param {Recording} recording
 * @param {number} threadId
 * @returns {{ begin: number, end: number }}
 */
function samplesOfThread(recording, threadId) {
  const threads = recording.sampleThreads;
  const begin = threads.indexOf(threadId);
  return begin < 0 ? { begin: 0, end: 0 } : { begin, end: threads.lastIndexOf(threadId) + 1 };
}

/** The threads that samples stand for: they have some, or in wall mode have only slept. @param {Recording} recording */
function sampledThreads({ threads }) {
  return threads.filter(({ sampleCount, wallNs }) => sampleCount > 0 || wallNs > 0);
}

/**
 * Each frame's function, as a dense number: frames that differ in place, tier or inlining only have the same.
 * @param {Frame[]} frames
 * @returns {{ functionOf: Uint32Array, representatives: Frame[] }} by frame; by function
 */
function numberFunctions(frames) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {Frame[]} */
  const representatives = [];
  const functionOf = new Uint32Array(frames.length);
  frames.forEach((frame, index) => {
    const key = functionKey(frame);
    let number = numbers.get(key);
    if (number === undefined) {
      number = representatives.length;
      numbers.set(key, number);
      representatives.push(frame);
    }
    functionOf[index] = number;
  });
  return { functionOf, representatives };
}

/**
 * Sums per stack, so that long recordings of few stacks are cheap to aggregate. `cpuNs` is wall time in wall mode.
 * @param {Recording} recording
 */
function sumStacks(recording) {
  const { sampleThreads, sampleStacks, sampleStates } = recording;
  const weights = weightsOf(recording);
  /** @type {Map<number, { stack: number, isGc: boolean, thread: number, cpuNs: number, samples: number }>} */
  const sums = new Map();
  const stackCount = recording.stackParents.length;
  for (let i = 0; i < sampleStacks.length; i++) {
    const isGc = (sampleStates[i] & STATE_GC) !== 0;
    const key = (sampleThreads[i] * stackCount + sampleStacks[i]) * 2 + (isGc ? 1 : 0);
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, { stack: sampleStacks[i], isGc, thread: sampleThreads[i], cpuNs: weights[i], samples: 1 });
    } else {
      sum.cpuNs += weights[i];
      sum.samples++;
    }
  }
  return sums.values();
}

/**
 * Every function with its self and total CPU time, most self time first. Time in garbage collection is the self time of
 * `(garbage collector)`, whichever of the collector's functions were at work.
 * @param {Recording} recording
 * @returns {FunctionSummary[]}
 */
function summarizeFunctions(recording) {
  const { functionOf, representatives } = numberFunctions(recording.frames);
  const gcNumber = representatives.length;
  const frames = [...representatives, GC_FRAME];
  const rows = frames.map((frame) => ({ frame, selfNs: 0, totalNs: 0, samples: 0, threads: new Set() }));
  const lastSeen = new Int32Array(frames.length).fill(-1); // a recursive function counts once a stack
  let serial = 0;

  for (const { stack, isGc, thread, cpuNs, samples } of sumStacks(recording)) {
    serial++;
    let isLeaf = true;
    /** @param {number} number */
    const visit = (number) => {
      const row = rows[number];
      if (isLeaf) {
        row.selfNs += cpuNs;
        row.samples += samples;
        row.threads.add(thread);
        isLeaf = false;
      }
      if (lastSeen[number] === serial) return;
      lastSeen[number] = serial;
      row.totalNs += cpuNs;
    };
    if (isGc) visit(gcNumber);
    for (let node = stack; node !== 0; node = recording.stackParents[node]) {
      const index = recording.stackFrames[node];
      visit(recording.frames[index].kind === 'gc' ? gcNumber : functionOf[index]);
    }
  }

  return rows
    .filter((row) => row.totalNs > 0 || row.samples > 0)
    .sort((a, b) => b.selfNs - a.selfNs || b.totalNs - a.totalNs)
    .map(({ frame, selfNs, totalNs, samples, threads }) => ({
      functionName: displayName(frame),
      url: frame.url,
      line: frame.line,
      column: frame.column,
      kind: frame.kind,
      module: frame.module,
      selfNs,
      totalNs,
      sampleCount: samples,
      threadIds: [...threads].sort((a, b) => a - b),
    }));
}

/**
 * Samples in JavaScript (what it runs in builtins and native code counts as its own), and those of them whose line is known.
 * @param {Recording} recording
 */
function countPlaced(recording) {
  const { frames, stackFrames, stackParents } = recording;
  const counts = { samples: 0, placed: 0 };
  for (const { stack, samples } of sumStacks(recording)) {
    let node = stack;
    while (node !== 0 && frames[stackFrames[node]].kind !== 'js') node = stackParents[node];
    if (node === 0) continue;
    counts.samples += samples;
    if (frames[stackFrames[node]].sampledLine > 0) counts.placed += samples;
  }
  return counts;
}

/** CPU time of all samples, nanoseconds. @param {Recording} recording */
function totalCpuNs(recording) {
  return recording.sampleCpuNs.reduce((sum, ns) => sum + ns, 0);
}

/** What all samples stand for, nanoseconds: CPU time, or in wall mode wall time. @param {Recording} recording */
function totalWeight(recording) {
  return weightsOf(recording).reduce((sum, ns) => sum + ns, 0);
}

module.exports = {
  GC_FRAME,
  STATE_GC,
  STATE_TRUNCATED,
  STATE_INCOMPLETE,
  STATE_OFF_CPU,
  weightsOf,
  samplesOfThread,
  sampledThreads,
  numberFunctions,
  sumStacks,
  summarizeFunctions,
  countPlaced,
  totalCpuNs,
  totalWeight,
};
