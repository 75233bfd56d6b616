'use strict';

/** Hand-made recordings: what a test states in words becomes the columns that the native side gives. */

/** @typedef {import('../../binding').NativeFrame} Frame */

/** A JavaScript function. @param {string} functionName @param {Partial<Frame>} [more] @returns {Frame} */
function js(functionName, more = {}) {
  return {
    ...{ functionName, url: '/app/main.js', scriptId: 7, line: 10, column: 5, kind: 'js', tier: 'interpreted' },
    ...{ inlined: false, sampledLine: 0, sampledColumn: 0, module: '', startOffset: -1, sourceLength: 0, ...more },
  };
}

/** A function of a shared object. @param {string} functionName @param {string} [module] @returns {Frame} */
function native(functionName, module = '/usr/bin/node') {
  return js(functionName, { url: '', scriptId: 0, line: 0, column: 0, kind: 'native', tier: '', module });
}

/** @param {string} functionName @returns {Frame} */
function builtin(functionName) {
  return { ...native(functionName), kind: 'builtin' };
}

/** Counters of a recording in which nothing was lost. */
function emptyStats() {
  return {
    ...{ signals: 0, written: 0, drained: 0, dropped: {}, overruns: 0, folded: 0, truncated: 0, incomplete: 0 },
    ...{
      stacksLost: 0,
      threadsLive: 1,
      threadsSeen: 1,
      threadsRefused: 0,
      cpuNs: 0,
      sampledCpuNs: 0,
      bytes: 0,
      drainLagNs: 0,
      warnings: [],
      shutdown: null,
      intervalNs: 1e6,
      clock: 'thread-cpu',
      signal: 'SIGPROF',
      rate: { asked: 1000, achieved: 0 },
      overhead: { handlerPercent: 0, deliveryPercent: 0, drainPercent: 0 },
      deliveryNs: 0,
      pausedNs: 0,
    },
    handlerNs: { p50: 0, p99: 0, max: 0, mean: 0, total: 0 },
  };
}

/**
 * @param {{ atMs: number, cpuMs: number, wallMs?: number, stack: Frame[], thread?: number, state?: number, block?: number }[]} samples stacks root first;
 *   frames are the same when they are the same object
 * @param {Partial<import('../../binding').NativeRecording>} [more]
 * @returns {import('../../binding').NativeRecording}
 */
function recordingOf(samples, more = {}) {
  const ordered = [...samples].sort((a, b) => (a.thread ?? 0) - (b.thread ?? 0) || a.atMs - b.atMs);
  const frames = [...new Set(ordered.flatMap(({ stack }) => stack))];
  const parents = [0];
  const stackFrames = [0];
  /** @type {Map<string, number>} */
  const known = new Map();
  const stacks = ordered.map(({ stack }) =>
    stack.reduce((parent, frame) => {
      const index = frames.indexOf(frame);
      const key = `${parent}/${index}`;
      if (!known.has(key)) {
        known.set(key, parents.length);
        parents.push(parent);
        stackFrames.push(index);
      }
      return /** @type {number} */ (known.get(key));
    }, 0),
  );
  const ids = [...new Set([0, ...ordered.map(({ thread }) => thread ?? 0)])];
  const threads = ids.map((id) => {
    const own = ordered.filter(({ thread }) => (thread ?? 0) === id);
    return {
      ...{ id, tid: 1000 + id, name: id === 0 ? 'node' : `worker ${id}` },
      kind: /** @type {const} */ (id === 0 ? 'main' : 'worker'),
      cpuNs: own.reduce((sum, { cpuMs }) => sum + cpuMs * 1e6, 0),
      wallNs: own.reduce((sum, { cpuMs, wallMs }) => sum + (wallMs ?? cpuMs) * 1e6, 0),
      sampleCount: own.length,
      overruns: 0,
      dropped: {},
    };
  });
  return {
    ...{ pid: 4242, startTimeMs: 1_700_000_000_000, durationNs: 1e9, intervalNs: 1e6, mode: 'cpu', timer: 'tick' },
    ...{ nodeVersion: 'v20.0.0', execPath: '/usr/bin/node', threads, frames, stoppedCleanly: true },
    stackParents: Uint32Array.from(parents),
    stackFrames: Uint32Array.from(stackFrames),
    sampleThreads: Uint32Array.from(ordered, ({ thread }) => thread ?? 0),
    sampleTimes: Float64Array.from(ordered, ({ atMs }) => atMs * 1e6),
    sampleCpuNs: Float64Array.from(ordered, ({ cpuMs }) => cpuMs * 1e6),
    sampleWallNs: Float64Array.from(ordered, ({ cpuMs, wallMs }) => (wallMs ?? cpuMs) * 1e6),
    sampleStacks: Uint32Array.from(stacks),
    sampleStates: Uint8Array.from(ordered, ({ state }) => state ?? 0),
    sampleBlocks: Uint32Array.from(ordered, ({ block }) => block ?? 0),
    blocks: [],
    marks: [],
    modules: [],
    stats: { ...emptyStats(), signals: ordered.length, written: ordered.length },
    ...more,
  };
}

/** A generator of numbers from 0 to 1 with a seed that is printed when a test fails (mulberry32). @param {number} seed */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = { js, native, builtin, recordingOf, emptyStats, random };
