'use strict';

const { GC, IDLE, PROGRAM, ROOT } = require('../frames');
const { STATE_GC } = require('../model');
const { Malformed, RecordingBuilder } = require('./recording-builder');

/**
 * V8's `.cpuprofile` (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile): node --cpu-prof, Chrome
 * DevTools, and our own. A sample lasts until the next one. `(idle)` is left out: it is no time of the program's.
 */

/** @param {any} value @param {string} place @returns {number} */
function numberAt(value, place) {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(place, 'a number is expected');
  return value;
}

/** @param {any} value @param {string} place @returns {any[]} */
function arrayAt(value, place) {
  if (!Array.isArray(value)) throw new Malformed(place, 'an array is expected');
  return value;
}

/** @param {any} callFrame @param {string} place */
function toldOf(callFrame, place) {
  const { functionName, url = '', lineNumber = -1, columnNumber = -1, scriptId = 0 } = callFrame ?? {};
  if (typeof functionName !== 'string') throw new Malformed(`${place}.callFrame.functionName`, 'a string is expected');
  if (typeof url !== 'string') throw new Malformed(`${place}.callFrame.url`, 'a string is expected');
  const line = numberAt(lineNumber, `${place}.callFrame.lineNumber`) + 1;
  const column = numberAt(columnNumber, `${place}.callFrame.columnNumber`) + 1;
  if (functionName === GC) return { functionName: '', kind: /** @type {const} */ ('gc') };
  if (url === 'native:v8') return { functionName, kind: /** @type {const} */ ('builtin') };
  if (url.startsWith('native:')) {
    return { functionName, kind: /** @type {const} */ ('native'), module: url.slice('native:'.length) };
  }
  return { functionName, url, line, column, scriptId: Number(scriptId) || 0 };
}

/**
 * @param {any} profile
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readCpuProfile(profile) {
  const nodes = arrayAt(profile.nodes, 'nodes');
  const samples = arrayAt(profile.samples, 'samples');
  const deltas = arrayAt(profile.timeDeltas, 'timeDeltas');
  if (deltas.length < samples.length) {
    throw new Malformed('timeDeltas', `${samples.length} samples need as many, not ${deltas.length}`);
  }
  const builder = new RecordingBuilder();
  const thread = builder.thread('main', { kind: 'main' });
  /** @type {Map<number, { stack: number, name: string }>} */
  const known = new Map();
  /** @type {Map<number, number>} */
  const parentOf = new Map();
  nodes.forEach((node, i) => {
    for (const child of arrayAt(node?.children ?? [], `nodes[${i}].children`)) parentOf.set(child, node.id);
    if (node?.parent !== undefined) parentOf.set(node.id, node.parent);
  });
  const byId = new Map(nodes.map((node, i) => [numberAt(node?.id, `nodes[${i}].id`), { node, place: `nodes[${i}]` }]));
  /** @param {number} id @param {string} place */
  const stackOf = (id, place) => {
    const path = [];
    for (let at = id; !known.has(at); at = /** @type {number} */ (parentOf.get(at))) {
      const entry = byId.get(at);
      if (entry === undefined) throw new Malformed(place, `there is no node ${at}`);
      path.push({ id: at, ...entry });
      if (path.length > nodes.length) throw new Malformed(entry.place, 'it is above itself');
      if (!parentOf.has(at)) break;
    }
    for (const { id: own, node, place: where } of path.reverse()) {
      const above = known.get(parentOf.get(own) ?? Number.NaN)?.stack ?? 0;
      const told = toldOf(node.callFrame, where);
      const isNone = [ROOT, PROGRAM, IDLE].includes(told.functionName) && (told.url ?? '') === '';
      known.set(own, {
        stack: isNone ? above : builder.child(above, builder.frame(told)),
        name: node.callFrame.functionName,
      });
    }
    return /** @type {{ stack: number, name: string }} */ (known.get(id));
  };
  let timeUs = 0;
  const startTime = numberAt(profile.startTime ?? 0, 'startTime');
  const endTime = numberAt(profile.endTime ?? startTime, 'endTime');
  samples.forEach((id, i) => {
    timeUs += numberAt(deltas[i], `timeDeltas[${i}]`);
    const { stack, name } = stackOf(id, `samples[${i}]`);
    const next =
      i + 1 < samples.length
        ? numberAt(deltas[i + 1], `timeDeltas[${i + 1}]`)
        : Math.max(0, endTime - startTime - timeUs);
    // Some writers have samples out of order by some microseconds.
    if (name === IDLE || next <= 0) return;
    builder.add({
      thread,
      timeNs: (timeUs + next) * 1000,
      cpuNs: next * 1000,
      stack,
      state: name === GC ? STATE_GC : 0,
    });
  });
  const durationNs = Math.max(0, endTime - startTime) * 1000;
  return builder.build({
    source: 'cpuprofile',
    durationNs,
    intervalNs: samples.length > 0 ? Math.round(durationNs / samples.length) : 0,
  });
}

module.exports = { readCpuProfile };
