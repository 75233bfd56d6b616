'use strict';

const { displayName, frameWhere, functionName } = require('../recording/frames');
const { measureOf } = require('../recording/measure');
const { STATE_GC, STATE_OFF_CPU, numberFunctions } = require('../recording/model');
const { hasProcesses, processOf, processesOf } = require('../recording/recorded-processes');

/**
 * The profile.proto of pprof (https://github.com/google/pprof/blob/main/proto/profile.proto), not yet compressed: what
 * `go tool pprof`, Pyroscope, Parca, Grafana and Datadog read. Sample types `samples/count`, `cpu/nanoseconds` and
 * `wall/nanoseconds`; labels `thread`, `thread id`, `track` and `block`, of several processes `process` and `process id`, and `state` for
 * what a stack does not show. A frame that was
 * inlined is a location of its own: several lines of one location are what pprof has for it, and not every reader shows them.
 *
 * Concatenated messages are one message (protobuf's rule for repeated fields), so that it is written in pieces.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** Samples in one piece. */
const BATCH = 4096;

/** Sums of samples that differ in nothing but their time. */
class Sums {
  /** @type {Map<string, { stack: number, thread: number, state: number, block: number, count: number, cpuNs: number, wallNs: number }>} */
  all = new Map();

  /** @param {Recording} recording */
  constructor(recording) {
    const { sampleThreads, sampleStacks, sampleStates, sampleCpuNs, sampleWallNs, sampleBlocks } = recording;
    for (let i = 0; i < sampleStacks.length; i++) {
      const [stack, thread, block] = [sampleStacks[i], sampleThreads[i], sampleBlocks[i]];
      const state = sampleStates[i] & (STATE_GC | STATE_OFF_CPU);
      const key = `${stack},${thread},${state},${block}`;
      let sum = this.all.get(key);
      if (sum === undefined) {
        sum = { stack, thread, state, block, count: 0, cpuNs: 0, wallNs: 0 };
        this.all.set(key, sum);
      }
      // What the thread slept is no sample.
      sum.count += (state & STATE_OFF_CPU) === 0 ? 1 : 0;
      sum.cpuNs += sampleCpuNs[i];
      sum.wallNs += sampleWallNs[i];
    }
  }
}

/**
 * The names of functions. Readers take two of one name on one line of one file for the same: such names have the column, as
 * minified code needs it.
 * @param {Frame[]} functions
 * @returns {string[]}
 */
function pprofNames(functions) {
  const keyOf = (/** @type {Frame} */ frame) => `${frame.line}\0${frame.url}\0${displayName(frame)}`;
  /** @type {Map<string, Set<number>>} */
  const columns = new Map();
  for (const frame of functions) columns.set(keyOf(frame), (columns.get(keyOf(frame)) ?? new Set()).add(frame.column));
  return functions.map((frame) => {
    const isAlone = frame.url === '' || frame.column === 0 || columns.get(keyOf(frame))?.size === 1;
    return isAlone ? displayName(frame) : `${displayName(frame)} (${frame.line}:${frame.column})`;
  });
}

/** Strings, functions, mappings and locations, each once, by 1-based number. */
class Tables {
  /** @param {Recording} recording @param {typeof import('pprof-format')} pprof */
  constructor(recording, pprof) {
    this.recording = recording;
    this.pprof = pprof;
    this.strings = new pprof.StringTable();
    const { functionOf, representatives } = numberFunctions(recording.frames);
    this.functionOf = functionOf;
    const names = pprofNames(representatives);
    this.functions = representatives.map((frame, i) => this.#function(frame, i + 1, names[i]));
    /** @type {Map<string, number>} */
    this.mappingOf = new Map();
    this.mappings = this.#mappings();
    /** @type {Map<number, number>} */
    this.locationOf = new Map();
    /** @type {import('pprof-format').Location[]} */
    this.locations = [];
    /** @type {Map<string, number>} */
    this.ownFunctions = new Map();
  }

  /** @param {Frame} frame @param {number} id @param {string} shown */
  #function(frame, id, shown) {
    const name = this.strings.dedup(shown);
    const isNative = frame.kind === 'native' || frame.kind === 'builtin';
    const file = isNative && frame.url === '' ? frame.module : frameWhere({ ...frame, line: 0 });
    return new this.pprof.Function({
      ...{ id, name, systemName: this.strings.dedup(functionName(frame)) },
      ...{ filename: this.strings.dedup(file), startLine: frame.line },
    });
  }

  #mappings() {
    const used = new Set(this.recording.frames.map(({ module }) => module));
    used.delete('');
    const { execPath } = this.recording;
    // The first mapping is the main program's, for readers of the format.
    const paths = [...used].sort((a, b) => Number(b === execPath) - Number(a === execPath));
    return paths.map((path, i) => {
      const module = this.recording.modules.find((each) => each.path === path);
      this.mappingOf.set(path, i + 1);
      return new this.pprof.Mapping({
        ...{ id: i + 1, filename: this.strings.dedup(path), buildId: this.strings.dedup(module?.buildId ?? '') },
        ...{ memoryStart: module?.start ?? 0, memoryLimit: module?.end ?? 0, fileOffset: module?.fileOffset ?? 0 },
        ...{ hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true },
      });
    });
  }

  /** @param {number} number of a frame */
  location(number) {
    const known = this.locationOf.get(number);
    if (known !== undefined) return known;
    const id = this.locations.length + 1;
    const { module, line, column, sampledLine, sampledColumn } = this.recording.frames[number];
    const place = sampledLine > 0 ? { line: sampledLine, column: sampledColumn } : { line, column };
    this.locations.push(
      new this.pprof.Location({
        ...{ id, mappingId: this.mappingOf.get(module) ?? 0 },
        line: [{ functionId: this.functionOf[number] + 1, ...place }],
      }),
    );
    this.locationOf.set(number, id);
    return id;
  }

  /** The location of a name that stands for something other than a function. @param {string} name */
  reserved(name) {
    const known = this.ownFunctions.get(name);
    if (known !== undefined) return known;
    const functionId = this.functions.length + 1;
    const text = this.strings.dedup(name);
    this.functions.push(new this.pprof.Function({ id: functionId, name: text, systemName: text }));
    const id = this.locations.length + 1;
    this.locations.push(new this.pprof.Location({ id, line: [{ functionId }] }));
    this.ownFunctions.set(name, id);
    return id;
  }

  /** Leaf first. @param {number} stack @param {number} state */
  locationsOf(stack, state) {
    const { stackFrames, stackParents } = this.recording;
    const ids = (state & STATE_GC) !== 0 ? [this.reserved('(garbage collector)')] : [];
    if (stack === 0 && ids.length === 0) ids.push(this.reserved('(program)'));
    for (let node = stack; node !== 0; node = stackParents[node]) ids.push(this.location(stackFrames[node]));
    return ids;
  }
}

/** A signed number of 64 bits, as a varint holds it. @param {number} value */
function int64(value) {
  const whole = Math.round(value);
  return whole < 0 || whole > Number.MAX_SAFE_INTEGER ? BigInt.asUintN(64, BigInt(whole)) : whole;
}

/** @param {Recording} recording */
function commentOf(recording) {
  const pids = processesOf(recording).map(({ pid }) => pid);
  return `spprof; Node ${recording.nodeVersion}; pid ${pids.join(', ')}; timer ${recording.timer}`;
}

/** The value types of what is no time. @param {Recording} recording @param {(value: string) => number} text */
function otherTypes(recording, text) {
  const { name, unit } = measureOf(recording);
  return [
    { type: text('samples'), unit: text('count') },
    { type: text(name), unit: text(unit) },
  ];
}

/**
 * @param {Recording} recording
 * @returns {Generator<Uint8Array>}
 */
function* pprofPieces(recording) {
  const pprof = require('pprof-format');
  const tables = new Tables(recording, pprof);
  const text = (/** @type {string} */ value) => tables.strings.dedup(value);
  const nanoseconds = text('nanoseconds');
  const types = { samples: text('samples'), cpu: text('cpu'), wall: text('wall') };
  const other = recording.measure && otherTypes(recording, text);
  const main = other?.at(-1)?.type ?? types[recording.mode === 'wall' ? 'wall' : 'cpu'];
  const key = {
    thread: text('thread'),
    id: text('thread id'),
    track: text('track'),
    block: text('block'),
    state: text('state'),
    process: text('process'),
    processId: text('process id'),
  };
  const isOfSeveral = hasProcesses(recording);
  const threads = new Map(
    recording.threads.map((thread) => {
      const process = processOf(recording, thread);
      return [thread.id, { name: text(thread.name), tid: thread.tid, process: text(process.name), pid: process.pid }];
    }),
  );
  /** A message without strings: they come last. @param {import('pprof-format').ProfileInput} fields */
  const piece = (fields) =>
    new pprof.Profile({ ...fields, stringTable: new pprof.StringTable(pprof.emptyTableToken) }).encode();
  yield piece({
    sampleType: other ?? [
      { type: types.samples, unit: text('count') },
      { type: types.cpu, unit: nanoseconds },
      { type: types.wall, unit: nanoseconds },
    ],
    ...{ defaultSampleType: main, periodType: { type: main, unit: nanoseconds }, period: recording.intervalNs },
    timeNanos: BigInt(Math.round(recording.startTimeMs * 1e3)) * 1000n,
    durationNanos: Math.round(recording.durationNs),
    comment: [text(commentOf(recording))],
  });
  /** @type {import('pprof-format').SampleInput[]} */
  let batch = [];
  for (const { stack, thread, state, block, count, cpuNs, wallNs } of new Sums(recording).all.values()) {
    const of = threads.get(thread);
    const label = [
      { key: key.thread, str: of?.name ?? text('') },
      { key: key.id, num: of?.tid ?? thread },
    ];
    if (isOfSeveral && of !== undefined)
      label.push({ key: key.process, str: of.process }, { key: key.processId, num: of.pid });
    if (block !== 0) {
      const { track, block: name } = recording.blocks[block - 1];
      label.push({ key: key.track, str: text(track) }, { key: key.block, str: text(name) });
    }
    if ((state & STATE_OFF_CPU) !== 0) label.push({ key: key.state, str: text('off-cpu') });
    batch.push({
      locationId: tables.locationsOf(stack, state),
      value: other ? [count, int64(cpuNs)] : [count, int64(cpuNs), int64(wallNs)],
      label,
    });
    if (batch.length < BATCH) continue;
    yield piece({ sample: batch });
    batch = [];
  }
  yield piece({ sample: batch });
  yield piece({ mapping: tables.mappings });
  for (let i = 0; i < tables.locations.length; i += BATCH)
    yield piece({ location: tables.locations.slice(i, i + BATCH) });
  for (let i = 0; i < tables.functions.length; i += BATCH)
    yield piece({ function: tables.functions.slice(i, i + BATCH) });
  yield new pprof.Profile({ stringTable: tables.strings }).encode();
}

module.exports = { pprofPieces };
