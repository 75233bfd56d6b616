'use strict';

const { pathOf } = require('../evidence');
const { STATE_INCOMPLETE } = require('../../recording/model');
const { formatNs, formatPercent, plural } = require('../../base/units');

/**
 * libuv's pool without a free thread: all of its threads are busy for nearly all of a window of time, so that what comes next has to
 * wait. In CPU mode busy means that a thread used the CPU; a wait for a disk is seen in wall mode only.
 *
 * @typedef {import('../../../binding').NativeFrame} Frame
 */

const WINDOW_NS = 500e6;
const BUSY = 0.85;
/** Without UV_THREADPOOL_SIZE. */
const USUAL_THREADS = 4;
/** Threads of the pool, and whether of each native thread a sample says what it is. @param {import('../evidence').Evidence} evidence */
function poolThreads({ recorded, roles }) {
  const natives = new Set(recorded.threads.filter(({ kind }) => kind === 'native').map(({ id }) => id));
  const pool = new Set();
  const others = new Set();
  const { sampleStacks, sampleThreads, sampleStates } = recorded;
  for (let i = 0; i < sampleStacks.length; i++) {
    const id = sampleThreads[i];
    if (!natives.has(id) || pool.has(id) || others.has(id)) continue;
    const isPool = pathOf(recorded, sampleStacks[i]).some((frame) => roles.get(frame)?.nativeReason === '(libuv pool)');
    if (isPool) pool.add(id);
    else if ((sampleStates[i] & STATE_INCOMPLETE) === 0) others.add(id);
  }
  return { pool: [...pool].sort((a, b) => a - b), isComplete: pool.size + others.size === natives.size };
}

/** Busy time of each thread in each window. @param {import('../evidence').Evidence} evidence @param {number[]} pool */
function busyWindows({ recording, weights }, pool) {
  const { sampleStacks, sampleThreads, sampleTimes, durationNs } = recording;
  const count = Math.max(1, Math.ceil(durationNs / WINDOW_NS));
  const windows = Array.from({ length: count }, () => new Float64Array(pool.length));
  let samples = 0;
  for (let i = 0; i < sampleStacks.length; i++) {
    const thread = pool.indexOf(sampleThreads[i]);
    if (thread < 0) continue;
    samples++;
    // A sample stands for the time before it.
    let end = Math.min(sampleTimes[i], count * WINDOW_NS);
    const begin = Math.max(0, end - weights[i]);
    while (end > begin) {
      const at = Math.ceil(end / WINDOW_NS) - 1;
      const from = Math.max(begin, at * WINDOW_NS);
      windows[at][thread] += end - from;
      end = from;
    }
  }
  return { windows, samples };
}

/** What the pool's threads run, by the function through which it was entered. @param {import('../evidence').Evidence} evidence @param {number[]} pool */
function workOf({ program }, pool) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { stack, thread, cpuNs } of program.sums) {
    if (!pool.includes(thread)) continue;
    const frame = program
      .path(stack)
      .filter(({ kind }) => kind === 'native')
      .at(-1);
    if (frame !== undefined) sums.set(frame.functionName, (sums.get(frame.functionName) ?? 0) + cpuNs);
  }
  return [...sums].filter(([name]) => name !== '').sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}

/** @type {import('../rule').Rule} */
const POOL = {
  id: 'pool',
  threshold: 0.1,
  condition: `of the time is spent on threads of libuv's pool in windows of ${formatNs(WINDOW_NS)} in which each of them was busy for at least ${100 * BUSY} % (file system, dns.lookup, zlib, crypto)`,
  advice:
    'What comes next waits for a free thread, files and dns.lookup() too. Raise UV_THREADPOOL_SIZE if cores are free; else do less of it at a time, or keep it in workers.',
  find(evidence) {
    const { pool, isComplete } = poolThreads(evidence);
    if (pool.length === 0 || (!isComplete && pool.length < USUAL_THREADS)) return null;
    const { windows, samples } = busyWindows(evidence, pool);
    const full = windows.filter((busy) => busy.every((ns) => ns >= BUSY * WINDOW_NS));
    if (full.length === 0) return null;
    const ns = full.reduce((sum, busy) => sum + busy.reduce((a, b) => a + b, 0), 0);
    return {
      ...{ ns, samples, frame: null },
      text: () => {
        const work = workOf(evidence, pool);
        const threads = plural(pool.length, 'thread');
        return `${formatPercent(ns, evidence.ns)} of the time is spent on libuv's pool while it is full: for ${formatNs(full.length * WINDOW_NS)} of ${formatNs(evidence.recorded.durationNs)} its ${threads} ${pool.length === 1 ? 'is' : 'are'} busy for at least ${100 * BUSY} %${work === undefined ? '' : `, mostly with ${work}`}`;
      },
    };
  },
};

module.exports = { rule: POOL };
