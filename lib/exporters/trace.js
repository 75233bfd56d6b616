'use strict';

const { numberFunctions, sampledThreads } = require('../recording/model');
const { hasProcesses, processOf } = require('../recording/recorded-processes');
const { toCpuProfile } = require('./cpuprofile');
const { intervalsOf } = require('./intervals');

/**
 * Chrome's trace events in JSON (the document "Trace Event Format"), for Chrome DevTools > Performance > Load profile, and for
 * Perfetto: of each thread its samples as V8 writes them (`Profile` and `ProfileChunk` of `disabled-by-default-v8.cpu_profiler`), the
 * whole recording as one task, garbage collections, and blocks; what the program named with `mark` as user timings. Times are
 * microseconds since the start of the recording.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeThread} Thread
 * @typedef {import('../index').CpuProfile} CpuProfile
 */

const PROFILER = 'disabled-by-default-v8.cpu_profiler';
/** Samples of one `ProfileChunk`. */
const CHUNK = 10_000;
/** More blocks than one thread has: ids of asynchronous spans are numbers. */
const SERIALS = 2 ** 24;

/** @param {Recording} recording @param {Thread} thread */
function* headEvents(recording, thread) {
  const { tid, name, kind } = thread;
  const { pid, execPath, nodeVersion, name: program } = processOf(recording, thread);
  const process = hasProcesses(recording) ? `${program} (${execPath} ${nodeVersion})` : `${execPath} ${nodeVersion}`;
  const common = { ph: 'M', cat: '__metadata', pid, tid, ts: 0 };
  if (kind === 'main') yield { ...common, name: 'process_name', args: { name: process } };
  yield { ...common, name: 'thread_name', args: { name: kind === 'main' ? `${name} (main)` : name } };
}

/** Nodes as a chunk has them: with their parent's id, not their children's. @param {CpuProfile['nodes']} nodes */
function nodesWithParents(nodes) {
  /** @type {Map<number, number>} */
  const parents = new Map();
  for (const { id, children } of nodes) for (const child of children) parents.set(child, id);
  return nodes.map(({ id, callFrame }) => {
    const parent = parents.get(id);
    return parent === undefined ? { id, callFrame } : { id, callFrame, parent };
  });
}

/** @param {Recording} recording @param {Thread} thread @param {CpuProfile} profile */
function* profileEvents(recording, thread, profile) {
  const { tid } = thread;
  const { pid } = processOf(recording, thread);
  const common = { cat: PROFILER, ph: 'P', pid, tid, id: `0x${tid.toString(16)}` };
  yield { ...common, name: 'Profile', ts: profile.startTime, args: { data: { startTime: profile.startTime } } };
  let ts = profile.startTime;
  for (let at = 0; at < profile.samples.length; at += CHUNK) {
    const samples = profile.samples.slice(at, at + CHUNK);
    const timeDeltas = profile.timeDeltas.slice(at, at + CHUNK);
    ts = timeDeltas.reduce((sum, delta) => sum + delta, ts);
    const cpuProfile = at === 0 ? { nodes: nodesWithParents(profile.nodes), samples } : { samples };
    yield { ...common, name: 'ProfileChunk', ts, args: { data: { cpuProfile, timeDeltas } } };
  }
}

/**
 * The thread's whole time as one task, in which DevTools lays out the samples: between tasks of their own they would be cut short.
 * Blocks are asynchronous spans for the same reason.
 * @param {Recording} recording @param {Thread} thread @param {CpuProfile} profile
 */
function* spanEvents(recording, thread, { startTime, endTime }) {
  const common = { pid: processOf(recording, thread).pid, tid: thread.tid };
  const task = { name: 'RunTask', cat: 'disabled-by-default-devtools.timeline', ph: 'X' };
  yield { ...common, ...task, ts: startTime, dur: Math.max(endTime - startTime, 1), args: {} };
  let serial = 0;
  for (const { kind, name, beginNs, endNs } of intervalsOf(recording, thread.id)) {
    const ts = Math.round(beginNs / 1000);
    const dur = Math.max(Math.round(endNs / 1000) - ts, 1);
    if (kind === 'collection') {
      yield { ...common, name: 'MajorGC', cat: 'devtools.timeline,v8', ph: 'X', ts, dur, args: {} };
    } else {
      const block = {
        ...common,
        name,
        cat: 'spprof.block',
        id: `0x${(thread.tid * SERIALS + serial++).toString(16)}`,
        args: {},
      };
      yield { ...block, ph: 'b', ts };
      yield { ...block, ph: 'e', ts: ts + dur };
    }
  }
}

/** @param {Recording} recording */
function* markEvents(recording) {
  for (const mark of recording.marks) {
    const { name, detail, timeNs, tid } = mark;
    const { pid } = processOf(recording, mark);
    const ts = Math.round(timeNs / 1000);
    const args = { data: { detail, startTime: timeNs / 1e6 } };
    yield { ph: 'I', s: 't', cat: 'blink.user_timing', name, pid, tid, ts, args };
  }
}

/** @param {Recording} recording */
function* events(recording) {
  const { functionOf } = numberFunctions(recording.frames);
  for (const thread of sampledThreads(recording)) {
    const profile = toCpuProfile(recording, thread, functionOf);
    yield* headEvents(recording, thread);
    yield* spanEvents(recording, thread, profile);
    yield* profileEvents(recording, thread, profile);
  }
  yield* markEvents(recording);
}

/**
 * @param {Recording} recording whose values are times
 * @returns {Generator<string>}
 */
function* tracePieces(recording) {
  const { version } = require('../../package.json');
  const { startTimeMs, nodeVersion, timer, intervalNs } = recording;
  const source = { source: `spprof@${version}`, startTime: new Date(startTimeMs).toISOString() };
  yield `{"metadata":${JSON.stringify({ ...source, nodeVersion, timer, intervalNs })},"displayTimeUnit":"ms","traceEvents":[\n`;
  let isFirst = true;
  for (const event of events(recording)) {
    if (!isFirst) yield ',\n';
    isFirst = false;
    yield JSON.stringify(event);
  }
  yield '\n]}\n';
}

module.exports = { tracePieces };
