'use strict';

const path = require('node:path');

/**
 * The processes that a recording holds: one, or all that a command has started. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeProcess} Process
 * @typedef {import('../../binding').NativeThread} Thread
 */

/** @typedef {Pick<Recording, Exclude<keyof Recording, 'frames'>>} Frameless a recording, its frames packed or not */

/**
 * In the order of their numbers, which threads and marks refer to.
 * @param {Frameless} recording
 * @returns {Process[]}
 */
function processesOf(recording) {
  if (recording.processes !== undefined) return recording.processes;
  const { pid, startTimeMs, durationNs, nodeVersion, execPath, stoppedCleanly, stats } = recording;
  const name = recording.program ?? (path.posix.basename(execPath) || 'node');
  return [{ pid, name, startTimeMs, durationNs, nodeVersion, execPath, stoppedCleanly, stats }];
}

/** @param {Frameless} recording @param {{ processId?: number }} of a thread, or a mark @returns {Process} */
function processOf(recording, { processId = 0 }) {
  return processesOf(recording)[processId];
}

/**
 * The processes with what their threads have used.
 * @param {Recording} recording
 * @returns {import('../index').ProfiledProcess[]}
 */
function processesWithSums(recording) {
  return processesOf(recording).map(({ pid, name, startTimeMs, durationNs, nodeVersion, stoppedCleanly }, id) => {
    const own = recording.threads.filter(({ processId = 0 }) => processId === id);
    const sum = (/** @type {'cpuNs' | 'wallNs' | 'sampleCount'} */ field) =>
      own.reduce((total, thread) => total + thread[field], 0);
    return {
      ...{ id, pid, name, startTimeMs, durationNs, nodeVersion, stoppedCleanly },
      ...{ cpuNs: sum('cpuNs'), wallNs: sum('wallNs'), sampleCount: sum('sampleCount') },
    };
  });
}

/** @param {Frameless} recording */
function hasProcesses(recording) {
  return processesOf(recording).length > 1;
}

/** `app 1234`: as people are shown one of several. @param {Pick<Process, 'name' | 'pid'>} process */
function processName({ name, pid }) {
  return `${name} ${pid}`;
}

/**
 * A thread's name where threads of several processes stand beside each other: `app 1234: worker 1`; in a recording of one process the
 * name alone.
 * @param {Recording} recording
 * @returns {(thread: Thread, name?: string) => string} `name`: what the caller calls the thread
 */
function threadNamer(recording) {
  if (!hasProcesses(recording)) return (thread, name = thread.name) => name;
  return (thread, name = thread.name) => `${processName(processOf(recording, thread))}: ${name}`;
}

/** Whether a mark was made on a thread. @param {Recording['marks'][number]} mark @param {Thread} thread */
function isMarkOf(mark, thread) {
  return mark.tid === thread.tid && (mark.processId ?? 0) === (thread.processId ?? 0);
}

/**
 * Some threads' processes, numbered anew, with these threads and their marks. What is left is of one process only (`pid`, `stats`, …) is
 * that one's.
 * @param {Frameless} recording
 * @param {Thread[]} threads
 * @param {number[]} [chosen] processes that are kept whether they have threads or not; else those of the threads
 */
function processesOfThreads({ processes, marks }, threads, chosen) {
  if (processes === undefined) return { threads, marks };
  const kept = [...new Set(chosen ?? threads.map(({ processId = 0 }) => processId))].sort((a, b) => a - b);
  if (kept.length === 0) return { threads, marks };
  const numbers = new Map(kept.map((process, number) => [process, number]));
  const { pid, nodeVersion, execPath, stoppedCleanly, stats } = processes[kept[0]];
  return {
    ...(kept.length === 1 ? { pid, nodeVersion, execPath, stoppedCleanly, stats } : {}),
    processes: kept.map((process) => processes[process]),
    threads: threads.map((thread) => ({ ...thread, processId: numbers.get(thread.processId ?? 0) })),
    marks: marks
      .filter(({ processId = 0 }) => numbers.has(processId))
      .map((mark) => ({ ...mark, processId: numbers.get(mark.processId ?? 0) })),
  };
}

module.exports = {
  hasProcesses,
  isMarkOf,
  processName,
  processOf,
  processesOf,
  processesOfThreads,
  processesWithSums,
  threadNamer,
};
