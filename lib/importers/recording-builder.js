'use strict';

const { ANONYMOUS, GC, PROGRAM, ROOT, TRUNCATED } = require('../recording/frames');
const { Malformed } = require('./malformed');
const { MOST, SampleColumns } = require('./sample-columns');

/**
 * Puts a recording together from what a file of another profiler says, so that everything that takes a recording of ours
 * takes it too. What such a file does not know is empty or 0.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** Frame fields that a file may tell. @typedef {Partial<Frame> & { functionName: string }} Told */

/** No frame: `(program)` and `(root)` stand for a stack that is not known. */
const NO_FRAME = -1;
/** So that a node and a frame make one whole number. */
const MOST_FRAMES = 2 ** 22;

/** @param {Told} told @returns {Frame} */
function frameOf(told) {
  const frame = {
    ...{ url: '', scriptId: 0, line: 0, column: 0, sampledLine: 0, sampledColumn: 0, kind: 'js', tier: '' },
    ...{ inlined: false, module: '', startOffset: -1, sourceLength: 0 },
    ...told,
  };
  const name = frame.functionName;
  if (name === ANONYMOUS) return /** @type {Frame} */ ({ ...frame, functionName: '' });
  if (frame.url !== '' || (name !== GC && name !== TRUNCATED)) return /** @type {Frame} */ (frame);
  return { ...frame, functionName: '', kind: name === GC ? 'gc' : 'truncated', module: '', tier: '' };
}

/** @param {number} ns @param {string} place @throws {Malformed} where it is none, or beyond all measure */
function checkNs(ns, place) {
  if (!(Math.abs(ns) <= MOST)) throw new Malformed(place, `it lasts ${ns / 1e9} s`);
}

/** @param {Frame} frame */
function keyOf({ functionName, url, scriptId, line, column, sampledLine, sampledColumn, kind, tier, inlined, module }) {
  return `${functionName}\0${url}\0${scriptId}\0${line}\0${column}\0${sampledLine}\0${sampledColumn}\0${kind}\0${tier}\0${inlined}\0${module}`;
}

/** Counters of a recording that tells none. @param {number} samples @param {number} intervalNs @param {string[]} warnings */
function statsOf(samples, intervalNs, warnings) {
  return {
    ...{ signals: samples, written: samples, drained: samples, dropped: {}, overruns: 0, folded: 0, truncated: 0 },
    ...{
      incomplete: 0,
      stacksLost: 0,
      threadsLive: 0,
      threadsSeen: 0,
      threadsRefused: 0,
      cpuNs: 0,
      sampledCpuNs: 0,
      intervalNs,
      clock: '',
      signal: '',
    },
    handlerNs: { p50: 0, p99: 0, max: 0, mean: 0, total: 0 },
    rate: { asked: intervalNs > 0 ? 1e9 / intervalNs : 0, achieved: 0 },
    overhead: { handlerPercent: 0, deliveryPercent: 0, drainPercent: 0 },
    ...{ deliveryNs: 0, pausedNs: 0, bytes: 0, drainLagNs: 0, warnings, shutdown: null },
  };
}

class RecordingBuilder {
  /** @type {Frame[]} */
  #frames = [];
  /** @type {Map<string, number>} */
  #frameNumbers = new Map();
  #parents = [0];
  #stackFrames = [0];
  /** @type {Map<number, number>} */
  #nodes = new Map();
  /** @type {Map<string, { id: number, name: string, kind: 'main' | 'worker' | 'native', tid: number }>} */
  #threads = new Map();
  #samples = new SampleColumns();
  /** @type {string[]} */
  #notes = [];

  /** @param {Told} told @returns {number} */
  frame(told) {
    if ((told.functionName === PROGRAM || told.functionName === ROOT) && !told.url) return NO_FRAME;
    const frame = frameOf(told);
    const key = keyOf(frame);
    let number = this.#frameNumbers.get(key);
    if (number === undefined) {
      number = this.#frames.push(frame) - 1;
      if (number >= MOST_FRAMES) throw new Malformed('the file', `it has more than ${MOST_FRAMES} functions`);
      this.#frameNumbers.set(key, number);
    }
    return number;
  }

  /** The stack node of a frame below another; 0 is the root. @param {number} parent @param {number} frame */
  child(parent, frame) {
    if (frame === NO_FRAME) return parent;
    const key = parent * MOST_FRAMES + frame;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = this.#parents.push(parent) - 1;
      this.#stackFrames.push(frame);
      this.#nodes.set(key, node);
    }
    return node;
  }

  /** @param {string} name @param {{ kind?: 'main' | 'worker' | 'native', tid?: number }} [more] */
  thread(name, { kind, tid = 0 } = {}) {
    const key = `${name}\0${tid}`;
    let thread = this.#threads.get(key);
    if (thread === undefined) {
      const id = this.#threads.size;
      thread = { id, name, tid, kind: kind ?? (id === 0 ? 'main' : 'worker') };
      this.#threads.set(key, thread);
    }
    return thread.id;
  }

  /**
   * @param {{ thread: number, timeNs: number, cpuNs: number, wallNs?: number, stack: number, state?: number }} sample
   * @throws {Malformed} when its values cannot be held
   */
  add({ thread, timeNs, cpuNs, wallNs = cpuNs, stack, state = 0 }) {
    this.#samples.add({ thread, timeNs, cpuNs, wallNs, stack, state });
  }

  /** A sentence for the report: what was assumed or left out. @param {string} sentence */
  note(sentence) {
    this.#notes.push(sentence);
  }

  get sampleCount() {
    return this.#samples.count;
  }

  /**
   * @param {{ source: string, startTimeMs?: number, durationNs?: number, intervalNs?: number, mode?: 'cpu' | 'wall',
   *   measure?: import('../../binding').Measure, isOneThread?: boolean }} about `source`: what made the file, as far as it is known
   * @returns {Recording}
   */
  build({ source, startTimeMs = 0, durationNs, intervalNs = 0, mode = 'cpu', measure, isOneThread = false }) {
    checkNs(durationNs ?? 0, 'the recording');
    if (Number.isNaN(new Date(startTimeMs).getTime())) throw new Malformed('its start', `${startTimeMs} ms is no date`);
    const columns = this.#samples.ordered();
    const { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs } = columns;
    const threads = [...this.#threads.values()].map((thread) => ({
      ...{ ...thread, cpuNs: 0, wallNs: 0, sampleCount: 0, overruns: 0, dropped: {} },
    }));
    for (let i = 0; i < sampleThreads.length; i++) {
      const thread = threads[sampleThreads[i]];
      thread.cpuNs += sampleCpuNs[i];
      thread.wallNs += sampleWallNs[i];
      thread.sampleCount++;
    }
    return {
      ...{ importedFrom: source, pid: 0, startTimeMs, intervalNs, mode, timer: source, nodeVersion: '', execPath: '' },
      durationNs: durationNs ?? sampleTimes.reduce((latest, timeNs) => Math.max(latest, timeNs), 0),
      ...{ threads, frames: this.#frames, marks: [], modules: [], blocks: [], stoppedCleanly: true },
      ...(measure === undefined ? {} : { measure }),
      ...(isOneThread ? { isOneThread } : {}),
      stackParents: Uint32Array.from(this.#parents),
      stackFrames: Uint32Array.from(this.#stackFrames),
      ...columns,
      stats: statsOf(sampleThreads.length, intervalNs, this.#notes),
    };
  }
}

module.exports = { RecordingBuilder };
