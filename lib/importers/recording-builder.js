'use strict';

/**
 * Puts a recording together from what a file of another profiler says, so that everything that takes a recording of ours
 * takes it too. What such a file does not know is empty or 0.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** Frame fields that a file may tell. @typedef {Partial<Frame> & { functionName: string }} Told */

/** @param {Told} told @returns {Frame} */
function frameOf(told) {
  return {
    ...{ url: '', scriptId: 0, line: 0, column: 0, sampledLine: 0, sampledColumn: 0, kind: 'js', tier: '' },
    ...{ inlined: false, module: '', startOffset: -1, sourceLength: 0 },
    ...told,
  };
}

/** ns: far more than any recording has, of time or of another unit, and little enough for sums to stay numbers. */
const LARGEST_NS = 1e24;

/** @param {number} ns @param {string} place @throws {Malformed} where it is none, or beyond all measure */
function checkNs(ns, place) {
  if (!(Math.abs(ns) <= LARGEST_NS)) throw new Malformed(place, `it lasts, or comes after, ${ns / 1e9} s`);
}

/** Counters of a recording that tells none. @param {number} samples @param {number} intervalNs */
function statsOf(samples, intervalNs) {
  return {
    ...{ signals: samples, written: samples, drained: samples, dropped: {}, overruns: 0, folded: 0, truncated: 0 },
    ...{
      incomplete: 0,
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
    ...{ deliveryNs: 0, pausedNs: 0, bytes: 0, drainLagNs: 0, warnings: [], shutdown: null },
  };
}

class RecordingBuilder {
  /** @type {Frame[]} */
  #frames = [];
  /** @type {Map<string, number>} */
  #frameNumbers = new Map();
  #parents = [0];
  #stackFrames = [0];
  /** @type {Map<string, number>} */
  #nodes = new Map();
  /** @type {Map<string, { id: number, name: string, kind: 'main' | 'worker' | 'native', tid: number }>} */
  #threads = new Map();
  /** @type {{ thread: number, timeNs: number, cpuNs: number, wallNs: number, stack: number, count: number, state: number }[]} */
  #samples = [];

  /** @param {Told} told @returns {number} */
  frame(told) {
    const key = JSON.stringify(Object.entries(told).sort());
    let number = this.#frameNumbers.get(key);
    if (number === undefined) {
      number = this.#frames.push(frameOf(told)) - 1;
      this.#frameNumbers.set(key, number);
    }
    return number;
  }

  /** The stack node of a frame below another; 0 is the root. @param {number} parent @param {number} frame */
  child(parent, frame) {
    const key = `${parent},${frame}`;
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
   * @throws {Malformed} where a time is no number that can be added up
   */
  add({ thread, timeNs, cpuNs, wallNs = cpuNs, stack, state = 0 }) {
    for (const ns of [timeNs, cpuNs, wallNs]) checkNs(ns, `sample ${this.#samples.length + 1}`);
    this.#samples.push({ thread, timeNs, cpuNs, wallNs, stack, state, count: 1 });
  }

  get isEmpty() {
    return this.#samples.length === 0;
  }

  /**
   * @param {{ source: string, startTimeMs?: number, durationNs?: number, intervalNs?: number, mode?: 'cpu' | 'wall' }} about
   *   `source`: what made the file, as far as it is known
   * @returns {Recording}
   */
  build({ source, startTimeMs = 0, durationNs, intervalNs = 0, mode = 'cpu' }) {
    checkNs(durationNs ?? 0, 'the recording');
    if (Number.isNaN(new Date(startTimeMs).getTime())) throw new Malformed('its start', `${startTimeMs} ms is no date`);
    const samples = this.#samples.sort((a, b) => a.thread - b.thread || a.timeNs - b.timeNs);
    const end = samples.reduce((latest, { timeNs }) => Math.max(latest, timeNs), 0);
    const threads = [...this.#threads.values()].map((thread) => ({
      ...{ ...thread, cpuNs: 0, wallNs: 0, sampleCount: 0, overruns: 0, dropped: {} },
    }));
    for (const { thread, cpuNs, wallNs } of samples) {
      threads[thread].cpuNs += cpuNs;
      threads[thread].wallNs += wallNs;
      threads[thread].sampleCount++;
    }
    return {
      ...{
        importedFrom: source,
        pid: 0,
        startTimeMs,
        durationNs: durationNs ?? end,
        intervalNs,
        mode,
        timer: source,
        nodeVersion: '',
        execPath: '',
      },
      ...{ threads, frames: this.#frames, marks: [], modules: [], blocks: [], stoppedCleanly: true },
      sampleBlocks: new Uint32Array(samples.length),
      stackParents: Uint32Array.from(this.#parents),
      stackFrames: Uint32Array.from(this.#stackFrames),
      sampleThreads: Uint32Array.from(samples, ({ thread }) => thread),
      sampleTimes: Float64Array.from(samples, ({ timeNs }) => timeNs),
      sampleCpuNs: Float64Array.from(samples, ({ cpuNs }) => cpuNs),
      sampleWallNs: Float64Array.from(samples, ({ wallNs }) => wallNs),
      sampleStacks: Uint32Array.from(samples, ({ stack }) => stack),
      sampleStates: Uint8Array.from(samples, ({ state }) => state),
      stats: statsOf(samples.length, intervalNs),
    };
  }
}

/** A file whose content is not what it should be; `place`: where in it. */
class Malformed extends Error {
  /** @param {string} place @param {string} problem */
  constructor(place, problem) {
    super(`${place}: ${problem}`);
  }
}

module.exports = { Malformed, RecordingBuilder };
