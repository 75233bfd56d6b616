'use strict';

const { errors } = require('../base/errors');
const { measureOf } = require('./measure');
const { sumStats } = require('./merged-stats');
const { processesOf } = require('./recorded-processes');
const { StackTree } = require('./stack-tree');

/**
 * Several recordings as one. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

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
 * Frames of several recordings, equal ones once. Numbers of scripts are each process's own: a script with a name is the same in all
 * of them, one without is not.
 */
class FrameTable {
  /** @type {Frame[]} */
  frames = [];
  /** @type {Map<string, number>} */
  #frameNumbers = new Map();
  /** @type {Map<string, number>} */
  #scriptNumbers = new Map();

  /** @param {Recording} recording @param {number} index of the recording @returns {number[]} the number of each of its frames */
  add(recording, index) {
    return recording.frames.map((frame) => {
      const own = { ...frame, scriptId: this.#scriptOf(frame, index) };
      return numberOf(this.#frameNumbers, Object.values(own).join('\0'), () => this.frames.push(own) - 1);
    });
  }

  /** @param {Frame} frame @param {number} index */
  #scriptOf({ scriptId, url, sourceLength }, index) {
    if (scriptId <= 0) return scriptId;
    const key = url === '' ? `${index}\0${scriptId}` : `${sourceLength}\0${url}`;
    return numberOf(this.#scriptNumbers, key, () => this.#scriptNumbers.size + 1);
  }
}

/** @param {Map<string, number>} numbers @param {string} key @param {() => number} next */
function numberOf(numbers, key, next) {
  let number = numbers.get(key);
  if (number === undefined) {
    number = next();
    numbers.set(key, number);
  }
  return number;
}

/**
 * Where the numbers of each recording begin in one row of all.
 * @param {Recording[]} recordings @param {(recording: Recording) => number} count
 */
function offsets(recordings, count) {
  let next = 0;
  return recordings.map((recording) => {
    const own = next;
    next += count(recording);
    return own;
  });
}

/**
 * One column of all.
 * @template {Float64Array | Uint32Array | Uint8Array} T
 * @param {Recording[]} recordings
 * @param {(recording: Recording) => T} columnOf
 * @param {(value: number, recording: number) => number} [convert]
 * @returns {T}
 */
function joinColumns(recordings, columnOf, convert) {
  const columns = recordings.map(columnOf);
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const Column = /** @type {{ new (length: number): T }} */ (columns[0].constructor);
  const joined = new Column(length);
  let at = 0;
  for (const [index, column] of columns.entries()) {
    if (convert === undefined) joined.set(column, at);
    else for (let i = 0; i < column.length; i++) joined[at + i] = convert(column[i], index);
    at += column.length;
  }
  return joined;
}

/** Stacks of all in one tree. @param {Recording[]} recordings */
function mergeStacks(recordings) {
  const tree = new StackTree();
  const table = new FrameTable();
  const nodesOf = recordings.map((recording, index) => {
    const frameOf = table.add(recording, index);
    const nodes = new Uint32Array(recording.stackParents.length);
    for (let node = 1; node < nodes.length; node++) {
      nodes[node] = tree.child(nodes[recording.stackParents[node]], frameOf[recording.stackFrames[node]]);
    }
    return nodes;
  });
  const { parents, frames } = tree;
  return {
    nodesOf,
    merged: {
      frames: table.frames,
      stackParents: Uint32Array.from(parents),
      stackFrames: Uint32Array.from(frames),
    },
  };
}

/** @param {import('../index').Stats} stats @param {string[]} warnings */
function withWarnings(stats, warnings) {
  return { ...stats, warnings: [...stats.warnings, ...warnings] };
}

/**
 * All samples of several recordings, as if they were one: their processes and threads side by side, times since the earliest start. What
 * can be of one process only (`pid`, `nodeVersion`, …) is the first one's.
 * @param {Recording[]} recordings one or more
 * @param {{ anyInterval?: boolean, warnings?: string[] }} [settings] `anyInterval`: their intervals may differ, since each sample says
 *   what it stands for; the shortest is taken for that of all. `warnings`: beside their own
 * @returns {Recording}
 * @throws `ERR_SPPROF_NOT_ALIKE`: they differ in mode or unit, or in interval
 */
function mergeRecordings(recordings, { anyInterval = false, warnings = [] } = {}) {
  const [first] = recordings;
  if (!anyInterval) {
    onlyOne(
      recordings.map((each) => each.intervalNs),
      'intervals (ns)',
    );
  }
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
  const { nodesOf, merged } = mergeStacks(recordings);
  const blocks = mergeBlocks(recordings);
  const firstThread = offsets(recordings, ({ threads }) => Math.max(0, ...threads.map(({ id }) => id + 1)));
  const firstProcess = offsets(recordings, (each) => processesOf(each).length);
  return {
    ...{ ...first, ...merged, startTimeMs, mode },
    intervalNs: Math.min(...recordings.map((each) => each.intervalNs)),
    timer: [...new Set(recordings.map(({ timer }) => timer))].join(', '),
    durationNs: Math.max(...recordings.map((each, i) => each.durationNs + lateNs[i])),
    stoppedCleanly: recordings.every((each) => each.stoppedCleanly),
    processes: recordings.flatMap(processesOf),
    threads: recordings.flatMap(({ threads }, i) =>
      threads.map((each) => ({
        ...each,
        id: each.id + firstThread[i],
        processId: (each.processId ?? 0) + firstProcess[i],
      })),
    ),
    modules: recordings.flatMap(({ modules }) => modules),
    sampleThreads: joinColumns(
      recordings,
      ({ sampleThreads }) => sampleThreads,
      (id, i) => id + firstThread[i],
    ),
    sampleTimes: joinColumns(
      recordings,
      ({ sampleTimes }) => sampleTimes,
      (ns, i) => ns + lateNs[i],
    ),
    sampleCpuNs: joinColumns(recordings, ({ sampleCpuNs }) => sampleCpuNs),
    sampleWallNs: joinColumns(recordings, ({ sampleWallNs }) => sampleWallNs),
    sampleStacks: joinColumns(
      recordings,
      ({ sampleStacks }) => sampleStacks,
      (node, i) => nodesOf[i][node],
    ),
    sampleStates: joinColumns(recordings, ({ sampleStates }) => sampleStates),
    sampleBlocks: joinColumns(
      recordings,
      ({ sampleBlocks }) => sampleBlocks,
      (own, i) => blocks.of(i, own),
    ),
    blocks: blocks.all,
    marks: recordings
      .flatMap(({ marks }, i) =>
        marks.map((mark) => ({
          ...mark,
          timeNs: mark.timeNs + lateNs[i],
          processId: (mark.processId ?? 0) + firstProcess[i],
        })),
      )
      .sort((a, b) => a.timeNs - b.timeNs),
    stats: withWarnings(sumStats(recordings.map(({ stats }) => stats)), warnings),
  };
}

module.exports = { mergeRecordings };
