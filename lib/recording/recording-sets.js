'use strict';

const { errors } = require('../base/errors');
const { measureOf } = require('./measure');

/**
 * Recordings made of recordings: some of a recording's samples, or all of several. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** A growing stack tree: equal stacks are one node. */
class StackTree {
  parents = [0];
  frames = [0];
  /** @type {Map<number, Map<number, number>>} */
  #children = new Map();

  /** @param {number} parent @param {number} frame */
  child(parent, frame) {
    let own = this.#children.get(parent);
    if (own === undefined) {
      own = new Map();
      this.#children.set(parent, own);
    }
    let node = own.get(frame);
    if (node === undefined) {
      node = this.parents.length;
      own.set(frame, node);
      this.parents.push(parent);
      this.frames.push(frame);
    }
    return node;
  }
}

/** @param {Frame} frame */
function frameKey(frame) {
  return JSON.stringify(Object.values(frame));
}

/**
 * The samples whose index is in `kept`, with sums of their own. Counters of the recording as a whole stay.
 * @template {Pick<Recording, Exclude<keyof Recording, 'frames'>>} T
 * @param {T} recording
 * @param {(index: number) => boolean} isKept
 * @returns {T}
 */
function filterRecording(recording, isKept) {
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
  return {
    ...recording,
    threads: recording.threads
      .filter(({ id }) => counts.has(id))
      .map((thread) => ({
        ...thread,
        cpuNs: cpuNs.get(thread.id),
        wallNs: wallNs.get(thread.id),
        sampleCount: counts.get(thread.id),
      })),
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
    marks: recording.marks
      .filter(({ timeNs }) => isKept(timeNs))
      .map((mark) => ({ ...mark, timeNs: mark.timeNs - fromNs })),
  };
}

/**
 * @template T
 * @param {T[]} values
 * @param {string} what
 */
function onlyOne(values, what) {
  const [first, ...others] = [...new Set(values)];
  if (others.length > 0) throw errors.notAlike(what, [first, ...others].join(' and '));
  return first;
}

/**
 * @param {Record<string, number>[]} counters
 * @returns {Record<string, number>}
 */
function sumCounters(counters) {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const each of counters) {
    for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/**
 * CPU time without that in pauses, of which the overhead's percentages are.
 * @param {import('../index').Stats} stats
 */
function countedCpuNs({ handlerNs, overhead }) {
  return overhead.handlerPercent > 0 ? (handlerNs.total * 100) / overhead.handlerPercent : 0;
}

/**
 * @param {import('../index').Stats[]} all
 * @param {(stats: import('../index').Stats) => number} of
 */
function sumOf(all, of) {
  return all.reduce((total, stats) => total + of(stats), 0);
}

/**
 * @param {import('../index').Stats[]} all
 * @param {(stats: import('../index').Stats) => number} weightOf
 * @param {(stats: import('../index').Stats) => number} of
 */
function weightedMean(all, weightOf, of) {
  const weight = sumOf(all, weightOf);
  return weight > 0 ? sumOf(all, (stats) => of(stats) * weightOf(stats)) / weight : 0;
}

/**
 * Rates and costs together: each is of the CPU time of all.
 * @param {import('../index').Stats[]} all
 */
function sumRates(all) {
  const same = (/** @type {string[]} */ names) => [...new Set(names)].join(', ');
  return {
    intervalNs: Math.max(...all.map(({ intervalNs }) => intervalNs)),
    clock: same(all.map(({ clock }) => clock)),
    signal: same(all.map(({ signal }) => signal)),
    rate: {
      asked: Math.min(...all.map(({ rate }) => rate.asked)),
      achieved: weightedMean(
        all,
        ({ sampledCpuNs }) => sampledCpuNs,
        ({ rate }) => rate.achieved,
      ),
    },
    overhead: {
      handlerPercent: weightedMean(all, countedCpuNs, ({ overhead }) => overhead.handlerPercent),
      deliveryPercent: weightedMean(all, countedCpuNs, ({ overhead }) => overhead.deliveryPercent),
      drainPercent: weightedMean(
        all,
        ({ cpuNs }) => cpuNs,
        ({ overhead }) => overhead.drainPercent,
      ),
    },
  };
}

/** @param {import('../index').Stats[]} all @returns {import('../index').Stats} */
function sumStats(all) {
  const sum = (/** @type {(stats: import('../index').Stats) => number} */ of) => sumOf(all, of);
  const most = (/** @type {(stats: import('../index').Stats) => number} */ of) => Math.max(...all.map(of));
  const written = sum((stats) => stats.written);
  const total = sum(({ handlerNs }) => handlerNs.total);
  return {
    signals: sum((stats) => stats.signals),
    written,
    drained: sum((stats) => stats.drained),
    dropped: sumCounters(all.map(({ dropped }) => dropped)),
    overruns: sum((stats) => stats.overruns),
    folded: sum((stats) => stats.folded),
    truncated: sum((stats) => stats.truncated),
    incomplete: sum((stats) => stats.incomplete),
    stacksLost: sum((stats) => stats.stacksLost),
    threadsLive: sum((stats) => stats.threadsLive),
    threadsSeen: sum((stats) => stats.threadsSeen),
    threadsRefused: sum((stats) => stats.threadsRefused),
    handlerNs: {
      // Of the one that is worst: percentiles do not add up.
      ...{ p50: most(({ handlerNs }) => handlerNs.p50), p99: most(({ handlerNs }) => handlerNs.p99) },
      ...{ max: most(({ handlerNs }) => handlerNs.max), mean: written > 0 ? Math.round(total / written) : 0, total },
    },
    cpuNs: sum((stats) => stats.cpuNs),
    sampledCpuNs: sum((stats) => stats.sampledCpuNs),
    ...sumRates(all),
    deliveryNs: most((stats) => stats.deliveryNs),
    pausedNs: sum((stats) => stats.pausedNs),
    bytes: sum((stats) => stats.bytes),
    drainLagNs: most((stats) => stats.drainLagNs),
    warnings: [...new Set(all.flatMap(({ warnings }) => warnings))],
    shutdown: all.length === 1 ? all[0].shutdown : null,
  };
}

/**
 * Blocks of several recordings: those that are nested alike are one.
 * @param {Recording[]} recordings
 */
function mergeBlocks(recordings) {
  /** @type {Recording['blocks']} */
  const all = [];
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const numbersOf = recordings.map(({ blocks }) => {
    const own = [0];
    for (const each of blocks) {
      const block = { ...each, parent: own[each.parent] };
      const key = JSON.stringify([block.parent, block.profiler, block.track, block.block]);
      const number = numbers.get(key) ?? all.push(block);
      numbers.set(key, number);
      own.push(number);
    }
    return own;
  });
  return { all, of: (/** @type {number} */ recording, /** @type {number} */ own) => numbersOf[recording][own] };
}

/**
 * All samples of several recordings, as if they were one: threads side by side, times since the earliest start.
 * @param {Recording[]} recordings one or more
 * @returns {Recording}
 * @throws `ERR_SPPROF_NOT_ALIKE`: they differ in mode or interval
 */
function mergeRecordings(recordings) {
  const intervalNs = onlyOne(
    recordings.map((each) => each.intervalNs),
    'intervals (ns)',
  );
  const mode = onlyOne(
    recordings.map((each) => each.mode),
    'modes',
  );
  onlyOne(
    recordings.map((each) => measureOf(each).unit),
    'units',
  );
  const startTimeMs = Math.min(...recordings.map((each) => each.startTimeMs));
  const lateNs = recordings.map((each) => (each.startTimeMs - startTimeMs) * 1e6);
  const tree = new StackTree();
  /** @type {Frame[]} */
  const frames = [];
  /** @type {Map<string, number>} */
  const frameNumbers = new Map();
  const nodesOf = recordings.map((recording) => {
    const frameOf = recording.frames.map((frame) => {
      const key = frameKey(frame);
      let number = frameNumbers.get(key);
      if (number === undefined) {
        number = frames.push(frame) - 1;
        frameNumbers.set(key, number);
      }
      return number;
    });
    const nodes = new Uint32Array(recording.stackParents.length);
    for (let node = 1; node < nodes.length; node++) {
      nodes[node] = tree.child(nodes[recording.stackParents[node]], frameOf[recording.stackFrames[node]]);
    }
    return nodes;
  });
  const blocks = mergeBlocks(recordings);
  let threadCount = 0;
  const firstThread = recordings.map(({ threads }) => {
    const first = threadCount;
    threadCount += Math.max(0, ...threads.map(({ id }) => id + 1));
    return first;
  });
  /** @param {(recording: Recording, number: number) => number[]} column */
  const all = (column) => recordings.flatMap(column);
  const [first] = recordings;
  return {
    ...{ ...first, startTimeMs, intervalNs, mode, frames },
    durationNs: Math.max(...recordings.map((each, i) => each.durationNs + lateNs[i])),
    stoppedCleanly: recordings.every((each) => each.stoppedCleanly),
    threads: recordings.flatMap(({ threads }, i) => threads.map((each) => ({ ...each, id: each.id + firstThread[i] }))),
    modules: recordings.flatMap(({ modules }) => modules),
    stackParents: Uint32Array.from(tree.parents),
    stackFrames: Uint32Array.from(tree.frames),
    sampleThreads: Uint32Array.from(
      all(({ sampleThreads }, i) => Array.from(sampleThreads, (id) => id + firstThread[i])),
    ),
    sampleTimes: Float64Array.from(all(({ sampleTimes }, i) => Array.from(sampleTimes, (ns) => ns + lateNs[i]))),
    sampleCpuNs: Float64Array.from(all(({ sampleCpuNs }) => [...sampleCpuNs])),
    sampleWallNs: Float64Array.from(all(({ sampleWallNs }) => [...sampleWallNs])),
    sampleStacks: Uint32Array.from(all(({ sampleStacks }, i) => Array.from(sampleStacks, (node) => nodesOf[i][node]))),
    sampleStates: Uint8Array.from(all(({ sampleStates }) => [...sampleStates])),
    sampleBlocks: Uint32Array.from(all(({ sampleBlocks }, i) => Array.from(sampleBlocks, (own) => blocks.of(i, own)))),
    blocks: blocks.all,
    marks: recordings
      .flatMap(({ marks }, i) => marks.map((mark) => ({ ...mark, timeNs: mark.timeNs + lateNs[i] })))
      .sort((a, b) => a.timeNs - b.timeNs),
    stats: sumStats(recordings.map(({ stats }) => stats)),
  };
}

module.exports = { StackTree, filterRecording, mergeRecordings, spanOfRecording };
