'use strict';

const { GC, IDLE, PROGRAM, ROOT } = require('../recording/frames');
const { STATE_GC } = require('../recording/model');
const { plural } = require('../base/units');
const { LinesOfNodes } = require('./cpuprofile-lines');
const { Malformed } = require('./malformed');
const { RecordingBuilder } = require('./recording-builder');

/**
 * V8's `.cpuprofile` (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile): node --cpu-prof, Chrome
 * DevTools, and our own. A sample lasts until the next one in time. `(idle)` is left out: it is no time of the program's.
 */

/** Microseconds: 31 years. */
const LONGEST_US = 1e15;

/** @param {any} value @param {string} place @returns {number} */
function numberAt(value, place) {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(place, 'a number is expected');
  return value;
}

/** @param {any} value @param {string} place @returns {number} */
function timeAt(value, place) {
  if (Math.abs(numberAt(value, place)) > LONGEST_US) throw new Malformed(place, `${value} is no time in microseconds`);
  return value;
}

/** @param {any} value @param {string} place @returns {any[]} */
function arrayAt(value, place) {
  if (!Array.isArray(value)) throw new Malformed(place, 'an array is expected');
  return value;
}

/** @param {any} value @param {string} place @returns {number} 1-based; 0: unknown */
function positionAt(value, place) {
  const position = numberAt(value, place) + 1;
  if (!Number.isSafeInteger(position)) throw new Malformed(place, 'a whole number is expected');
  return Math.max(0, position);
}

/** @param {any} callFrame @param {string} place @returns {import('./recording-builder').Told} */
function toldOf(callFrame, place) {
  const { functionName, url = '', lineNumber = -1, columnNumber = -1, scriptId = 0 } = callFrame ?? {};
  if (typeof functionName !== 'string') throw new Malformed(`${place}.callFrame.functionName`, 'a string is expected');
  if (typeof url !== 'string') throw new Malformed(`${place}.callFrame.url`, 'a string is expected');
  const line = positionAt(lineNumber, `${place}.callFrame.lineNumber`);
  const column = positionAt(columnNumber, `${place}.callFrame.columnNumber`);
  if (url === 'native:v8') return { functionName, kind: 'builtin' };
  if (url.startsWith('native:')) return { functionName, kind: 'native', module: url.slice('native:'.length) };
  const id = Number(scriptId);
  return { functionName, url, line, column, scriptId: Number.isSafeInteger(id) ? id : 0 };
}

/** Nodes by their number, with the stack that each stands for. */
class Nodes {
  /** @type {Map<number, { node: any, place: string }>} */
  #byId = new Map();
  /** @type {Map<number, number>} */
  #parentOf = new Map();
  /** @type {Map<number, { above: number, told: import('./recording-builder').Told, stack: number, isGc: boolean }>} */
  #known = new Map();

  /** @param {any[]} nodes @param {RecordingBuilder} builder */
  constructor(nodes, builder) {
    this.builder = builder;
    nodes.forEach((node, i) => {
      const id = numberAt(node?.id, `nodes[${i}].id`);
      this.#byId.set(id, { node, place: `nodes[${i}]` });
      for (const child of arrayAt(node.children ?? [], `nodes[${i}].children`)) this.#parentOf.set(child, id);
      if (node.parent !== undefined) this.#parentOf.set(id, node.parent);
    });
  }

  /** @param {number} id @param {string} place */
  of(id, place) {
    const path = [];
    for (let at = id; !this.#known.has(at); at = /** @type {number} */ (this.#parentOf.get(at))) {
      const entry = this.#byId.get(at);
      if (entry === undefined) throw new Malformed(place, `there is no node ${JSON.stringify(at)}`);
      path.push({ id: at, ...entry });
      if (path.length > this.#byId.size) throw new Malformed(entry.place, 'it is above itself');
      if (!this.#parentOf.has(at)) break;
    }
    for (const { id: own, node, place: where } of path.reverse()) {
      const parent = this.#known.get(this.#parentOf.get(own) ?? Number.NaN);
      const above = parent?.stack ?? 0;
      const told = toldOf(node.callFrame, where);
      const isNone = [ROOT, PROGRAM, IDLE].includes(told.functionName) && !told.url && !told.kind;
      const isGc = parent?.isGc === true || (told.functionName === GC && !told.url);
      const stack = isNone ? above : this.builder.child(above, this.builder.frame(told));
      this.#known.set(own, { above: isNone ? -1 : above, told, stack, isGc });
    }
    const entry = /** @type {{ node: any, place: string }} */ (this.#byId.get(id));
    return { .../** @type {any} */ (this.#known.get(id)), ...entry };
  }
}

/**
 * When each sample was taken, µs since the start, and the samples in that order: some writers have them out of order.
 * @param {any[]} deltas @param {number} count @param {RecordingBuilder} builder
 */
function timesOf(deltas, count, builder) {
  const times = new Float64Array(count);
  let timeUs = 0;
  let disorder = 0;
  for (let i = 0; i < count; i++) {
    timeUs = timeAt(timeUs + numberAt(deltas[i], `timeDeltas[${i}]`), `timeDeltas[${i}]`);
    times[i] = timeUs;
    if (i > 0 && timeUs < times[i - 1]) disorder++;
  }
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (disorder > 0) {
    order.sort((a, b) => times[a] - times[b] || a - b);
    builder.note(`${plural(disorder, 'sample')} came before the one ahead in the file; they were put in order of time`);
  }
  return { times, order };
}

/**
 * @param {any} profile
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readCpuProfile(profile) {
  const samples = arrayAt(profile.samples, 'samples');
  const deltas = arrayAt(profile.timeDeltas, 'timeDeltas');
  if (deltas.length < samples.length) {
    throw new Malformed('timeDeltas', `${samples.length} samples need as many, not ${deltas.length}`);
  }
  const builder = new RecordingBuilder();
  const nodes = new Nodes(arrayAt(profile.nodes, 'nodes'), builder);
  const own = profile['x-spprof']?.thread;
  const isOwn = typeof own?.name === 'string' && Number.isSafeInteger(own.tid);
  const kind = ['main', 'worker', 'native'].find((each) => each === own?.kind) ?? 'main';
  const thread = isOwn
    ? builder.thread(own.name, { kind: /** @type {'main' | 'worker' | 'native'} */ (kind), tid: own.tid })
    : builder.thread('main', { kind: 'main' });
  const { times, order } = timesOf(deltas, samples.length, builder);
  const startTime = numberAt(profile.startTime ?? 0, 'startTime');
  const lengthUs = timeAt(numberAt(profile.endTime ?? startTime, 'endTime') - startTime, 'endTime');
  const lines = new LinesOfNodes(builder);
  order.forEach((number, i) => {
    const at = times[number];
    const id = samples[number];
    const node = nodes.of(id, `samples[${number}]`);
    const lasts = Math.max(0, (i + 1 < order.length ? times[order[i + 1]] : lengthUs) - at);
    if (node.told.functionName === IDLE && node.above === -1) return;
    builder.add({
      ...{ thread, timeNs: (at + lasts) * 1000, cpuNs: lasts * 1000 },
      stack: lines.stackOf(id, node),
      state: node.isGc ? STATE_GC : 0,
    });
  });
  const durationNs = Math.max(0, lengthUs) * 1000;
  const intervalNs = samples.length > 0 ? Math.round(durationNs / samples.length) : 0;
  return builder.build({ source: 'cpuprofile', durationNs, intervalNs, isOneThread: true });
}

module.exports = { readCpuProfile };
