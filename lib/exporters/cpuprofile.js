'use strict';

const { GC, IDLE, PROGRAM, ROOT, frameUrl, functionName } = require('../recording/frames');
const { STATE_GC, numberFunctions, samplesOfThread, weightsOf } = require('../recording/model');
const { processOf } = require('../recording/recorded-processes');
const { arrayPieces } = require('./json-pieces');
const { layOutSamples } = require('./timeline');

/**
 * One thread of a recording as V8's `.cpuprofile`, as Chrome DevTools and VS Code read it: `samples[i]` lasts from its
 * own time to that of `samples[i + 1]`, `timeDeltas[0]` counts from `startTime`, all in microseconds. The time line is
 * wall time, with `(idle)` where the thread did not run, so that a function's self time is its CPU time. A last
 * `(idle)` closes the last sample for readers that do not look at `endTime`. In wall mode a thread that sleeps is shown where
 * it does, and self times are wall times.
 *
 * Nodes: `(root)`, `(program)` for samples without a stack, `(idle)`; in a garbage collection, `(garbage collector)`
 * stands between the code that set it off and the collector's own native frames. Frames that differ only in tier, inlining or
 * place share a node; `positionTicks` tells the lines (1-based) that a node's own samples were at, where they are known.
 * What the JIT inlined is a node like any other. Unknown keys (`x-spprof`) are ignored by both readers.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('../index').CpuProfile} CpuProfile
 * @typedef {import('../index').CpuProfileNode} CpuProfileNode
 */

/** @param {Frame} frame @returns {CpuProfileNode['callFrame']} */
function callFrameOf(frame) {
  const isScript = frame.kind === 'js' || frame.kind === 'unknown-js' || frame.url !== '';
  return {
    functionName: functionName(frame),
    scriptId: isScript ? String(Math.max(frame.scriptId, 0)) : '0',
    url: frameUrl(frame),
    lineNumber: isScript ? frame.line - 1 : -1,
    columnNumber: isScript ? frame.column - 1 : -1,
  };
}

/** @param {string} name @returns {CpuProfileNode['callFrame']} */
function reservedCallFrame(name) {
  return { functionName: name, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
}

/** The call tree under construction. */
class NodeTree {
  /** @param {Recording} recording @param {Uint32Array} functionOf as `numberFunctions` has it */
  constructor(recording, functionOf) {
    this.recording = recording;
    this.functionOf = functionOf;
    /** @type {CpuProfileNode[]} */
    this.nodes = [];
    /** @type {Map<string, CpuProfileNode>} */
    this.byParentAndKey = new Map();
    /** @type {Map<number, CpuProfileNode>} */
    this.byStack = new Map();
    /** @type {Map<number, CpuProfileNode>} */
    this.gcByStack = new Map();
    this.root = this.#append(reservedCallFrame(ROOT));
    this.program = this.#reserved(this.root, PROGRAM);
    this.idle = this.#reserved(this.root, IDLE);
    this.byStack.set(0, this.root);
  }

  /** The line that a sample's node was at; 0: unknown, or not JavaScript. @param {number} sample */
  lineOfSample(sample) {
    const { frames, sampleStacks, sampleStates, stackFrames } = this.recording;
    const stack = sampleStacks[sample];
    if (stack === 0 || (sampleStates[sample] & STATE_GC) !== 0) return 0;
    return frames[stackFrames[stack]].sampledLine;
  }

  /** @param {CpuProfileNode['callFrame']} callFrame */
  #append(callFrame) {
    /** @type {CpuProfileNode} */
    const node = { id: this.nodes.length + 1, callFrame, hitCount: 0, children: [] };
    this.nodes.push(node);
    return node;
  }

  /** @param {CpuProfileNode} parent @param {string} key @param {() => CpuProfileNode['callFrame']} callFrame */
  #child(parent, key, callFrame) {
    const fullKey = `${parent.id}/${key}`;
    let node = this.byParentAndKey.get(fullKey);
    if (node === undefined) {
      node = this.#append(callFrame());
      parent.children.push(node.id);
      this.byParentAndKey.set(fullKey, node);
    }
    return node;
  }

  /** @param {CpuProfileNode} parent @param {string} name */
  #reserved(parent, name) {
    return this.#child(parent, name, () => reservedCallFrame(name));
  }

  /** @param {CpuProfileNode} parent @param {number} stack */
  #frameChild(parent, stack) {
    const index = this.recording.stackFrames[stack];
    const frame = this.recording.frames[index];
    if (frame.kind === 'gc') return this.#reserved(parent, GC);
    return this.#child(parent, String(this.functionOf[index]), () => callFrameOf(frame));
  }

  /** The node of a stack; 0 is the root. @param {number} stack @returns {CpuProfileNode} */
  #nodeOfStack(stack) {
    const pending = [];
    let node = this.byStack.get(stack);
    for (let at = stack; node === undefined; node = this.byStack.get(at)) {
      pending.push(at);
      at = this.recording.stackParents[at];
    }
    for (const at of pending.reverse()) {
      node = this.#frameChild(node, at);
      this.byStack.set(at, node);
    }
    return node;
  }

  /** The node of a stack that was taken in a garbage collection. @param {number} stack @returns {CpuProfileNode} */
  #nodeOfGcStack(stack) {
    const known = this.gcByStack.get(stack);
    if (known !== undefined) return known;
    const { frames, stackFrames, stackParents } = this.recording;
    /** @type {number[]} */
    const collector = [];
    let at = stack;
    for (; at !== 0 && frames[stackFrames[at]].kind === 'native'; at = stackParents[at]) collector.push(at);
    const isMarked = at !== 0 && frames[stackFrames[at]].kind === 'gc';
    let node = this.#nodeOfStack(at);
    if (!isMarked) node = this.#reserved(node, GC);
    for (const native of collector.reverse()) node = this.#frameChild(node, native);
    this.gcByStack.set(stack, node);
    return node;
  }

  /** The node that a sample's time is due to. @param {number} sample */
  nodeOfSample(sample) {
    const stack = this.recording.sampleStacks[sample];
    if ((this.recording.sampleStates[sample] & STATE_GC) !== 0) return this.#nodeOfGcStack(stack);
    return stack === 0 ? this.program : this.#nodeOfStack(stack);
  }
}

/**
 * What a reader that is not ours ignores: where the profile comes from and what was lost.
 * @param {Recording} recording
 * @param {import('../../binding').NativeThread} thread
 */
function metadata(recording, thread) {
  const { startTimeMs, durationNs, intervalNs, mode, timer } = recording;
  const { pid, nodeVersion, stoppedCleanly, stats } = processOf(recording, thread);
  return { pid, thread, startTimeMs, durationNs, intervalNs, mode, timer, nodeVersion, stoppedCleanly, stats };
}

/**
 * @param {Recording} recording
 * @param {import('../../binding').NativeThread} thread
 * @param {Uint32Array} [functionOf] as `numberFunctions` has it, for those who write several threads
 * @returns {CpuProfile}
 */
function toCpuProfile(recording, thread, functionOf = numberFunctions(recording.frames).functionOf) {
  const { begin, end } = samplesOfThread(recording, thread.id);
  const tree = new NodeTree(recording, functionOf);
  /** @type {CpuProfileNode[]} */
  const sampleNodes = [];
  for (let i = begin; i < end; i++) sampleNodes.push(tree.nodeOfSample(i));

  const endsNs = recording.sampleTimes.subarray(begin, end);
  const lengthsNs = weightsOf(recording).subarray(begin, end);
  const functionIds = new Map(tree.nodes.map((node) => [node, functionId(node)]));
  const functions = sampleNodes.map((node) => functionIds.get(node));
  const timeline = layOutSamples(endsNs, lengthsNs, functions, toleranceUs(recording));

  /** @type {number[]} */
  const samples = [];
  /** @type {number[]} */
  const timeDeltas = [];
  let last = 0;
  /** @param {CpuProfileNode} node @param {number} timeUs */
  const emit = (node, timeUs) => {
    node.hitCount++;
    samples.push(node.id);
    timeDeltas.push(timeUs - last);
    last = timeUs;
  };
  let cursor = 0;
  for (let i = 0; i < sampleNodes.length; i++) {
    if (timeline.begins[i] > cursor) emit(tree.idle, cursor);
    emit(sampleNodes[i], timeline.begins[i]);
    cursor = timeline.begins[i] + timeline.durations[i];
  }
  emit(tree.idle, cursor);
  addPositionTicks(sampleNodes, (i) => tree.lineOfSample(begin + i));
  const endTime = Math.max(cursor, Math.round(recording.durationNs / 1000));
  return { nodes: tree.nodes, startTime: 0, endTime, samples, timeDeltas, 'x-spprof': metadata(recording, thread) };
}

/**
 * Adds `positionTicks` to the nodes, lines ascending.
 * @param {CpuProfileNode[]} sampleNodes
 * @param {(sample: number) => number} lineOf
 */
function addPositionTicks(sampleNodes, lineOf) {
  /** @type {Map<CpuProfileNode, Map<number, number>>} */
  const ticks = new Map();
  sampleNodes.forEach((node, sample) => {
    const line = lineOf(sample);
    if (line === 0) return;
    const lines = ticks.get(node) ?? new Map();
    lines.set(line, (lines.get(line) ?? 0) + 1);
    ticks.set(node, lines);
  });
  for (const [node, lines] of ticks) {
    node.positionTicks = [...lines].sort(([a], [b]) => a - b).map(([line, count]) => ({ line, ticks: count }));
  }
}

/** Gaps shorter than this are joined to the next longer one. @param {Recording} recording */
function toleranceUs(recording) {
  return Math.min(500, Math.round(recording.intervalNs / 2000));
}

/**
 * A key for the function a node stands for, over which rounding to microseconds is spread.
 * @param {CpuProfileNode} node
 */
function functionId(node) {
  const { functionName: name, url, scriptId, lineNumber, columnNumber } = node.callFrame;
  return `${name}\0${url}\0${scriptId}\0${lineNumber}\0${columnNumber}`;
}

/**
 * The file's text in pieces, none of them long: a profile may be longer than a string can be.
 * @param {CpuProfile} profile
 * @returns {Generator<string>}
 */
function* cpuProfilePieces(profile) {
  yield '{';
  yield* arrayPieces('nodes', profile.nodes);
  yield `,"startTime":${profile.startTime},"endTime":${profile.endTime},`;
  yield* arrayPieces('samples', profile.samples);
  yield ',';
  yield* arrayPieces('timeDeltas', profile.timeDeltas);
  yield `,"x-spprof":${JSON.stringify(profile['x-spprof'])}}\n`;
}

module.exports = { toCpuProfile, cpuProfilePieces };
