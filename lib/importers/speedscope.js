'use strict';

const { Malformed } = require('./malformed');
const { RecordingBuilder } = require('./recording-builder');

/** Speedscope's own format, `sampled` and `evented` profiles (https://www.speedscope.app/file-format-schema.json). */

const UNITS = /** @type {Record<string, { scale: number, measure?: import('../../binding').Measure }>} */ ({
  nanoseconds: { scale: 1 },
  microseconds: { scale: 1e3 },
  milliseconds: { scale: 1e6 },
  seconds: { scale: 1e9 },
  none: { scale: 1, measure: { name: 'samples', unit: 'count' } },
  bytes: { scale: 1, measure: { name: 'memory', unit: 'bytes' } },
});

/**
 * @param {any} profile @param {string} place
 * @returns {Generator<{ frames: number[], weight: number, place: string }>}
 */
function* sampledStacks({ samples, weights }, place) {
  if (!Array.isArray(samples) || !Array.isArray(weights))
    throw new Malformed(place, 'samples and weights are expected');
  if (weights.length !== samples.length)
    throw new Malformed(`${place}.weights`, `${samples.length} samples need as many, not ${weights.length}`);
  for (let i = 0; i < samples.length; i++)
    yield { frames: samples[i], weight: weights[i], place: `${place}.samples[${i}]` };
}

/**
 * Between two events the frames that are open have the time; those still open at the last one have it up to the profile's end.
 * @param {any} profile @param {string} place
 * @returns {Generator<{ frames: number[], weight: number, place: string }>}
 */
function* eventedStacks({ events, startValue, endValue }, place) {
  if (!Array.isArray(events)) throw new Malformed(`${place}.events`, 'an array is expected');
  /** @type {number[]} */
  const open = [];
  let last = Number.isFinite(startValue) ? startValue : events[0]?.at;
  for (const [i, event] of events.entries()) {
    const where = `${place}.events[${i}]`;
    const { type, at, frame } = event ?? {};
    if (!Number.isFinite(at) || (type !== 'O' && type !== 'C')) throw new Malformed(where, 'type and at are expected');
    if (at < last) throw new Malformed(where, `it is at ${at}, and the one before it at ${last}`);
    if (at > last) yield { frames: open, weight: at - last, place: where };
    last = at;
    if (type === 'O') open.push(frame);
    else if (open.at(-1) === frame) open.pop();
    else
      throw new Malformed(
        where,
        `frame ${frame} is closed, and the innermost one that is open is ${open.at(-1) ?? 'none'}`,
      );
  }
  if (Number.isFinite(endValue) && endValue > last)
    yield { frames: open, weight: endValue - last, place: `${place}.endValue` };
}

/** @param {any} profile @param {string} place */
function stacksOf(profile, place) {
  if (profile.type === 'sampled') return sampledStacks(profile, place);
  if (profile.type === 'evented') return eventedStacks(profile, place);
  throw new Malformed(place, 'it is neither sampled nor evented');
}

/** @param {any} frame @param {string} place @param {boolean} isOwn @returns {import('./recording-builder').Told} */
function toldOf(frame, place, isOwn) {
  if (typeof frame?.name !== 'string') throw new Malformed(`${place}.name`, 'a string is expected');
  const file = typeof frame.file === 'string' ? frame.file : '';
  const line = Number.isSafeInteger(frame.line) && frame.line > 0 ? frame.line : 0;
  const column = Number.isSafeInteger(frame.col) && frame.col > 0 ? frame.col : 0;
  if (isOwn && line === 0) {
    // We give native code the file name of its module.
    if (file === 'V8 builtin') return { functionName: frame.name, kind: 'builtin' };
    if (/^[^/:]+$/.test(file)) return { functionName: frame.name, kind: 'native', module: file };
  }
  return { functionName: frame.name, url: file, line, column };
}

/** A thread of ours is `name (kind, tid)`. @param {any} profile @param {number} k @param {boolean} isOwn */
function threadOf(profile, k, isOwn) {
  const name = typeof profile.name === 'string' ? profile.name : `profile ${k + 1}`;
  const own = isOwn ? /^(.*) \((main|worker|native), (\d{1,10})\)$/s.exec(name) : null;
  if (own === null) return { name, tid: k };
  return { name: own[1], tid: Number(own[3]), kind: /** @type {'main' | 'worker' | 'native'} */ (own[2]) };
}

/**
 * @param {any} file
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readSpeedscope({ shared, profiles, exporter }) {
  if (!Array.isArray(shared?.frames)) throw new Malformed('shared.frames', 'an array is expected');
  if (!Array.isArray(profiles)) throw new Malformed('profiles', 'an array is expected');
  const builder = new RecordingBuilder();
  const isOwn = typeof exporter === 'string' && exporter.startsWith('spprof@');
  const frames = shared.frames.map((/** @type {any} */ frame, /** @type {number} */ i) =>
    builder.frame(toldOf(frame, `shared.frames[${i}]`, isOwn)),
  );
  /** @type {typeof UNITS[string] | null} */
  let chosen = null;
  for (const [k, profile] of profiles.entries()) {
    const place = `profiles[${k}]`;
    const unit = Object.hasOwn(UNITS, profile?.unit) ? UNITS[profile.unit] : undefined;
    if (unit === undefined) throw new Malformed(`${place}.unit`, `it is ${JSON.stringify(profile?.unit)}`);
    chosen ??= unit;
    if (chosen.measure !== unit.measure) {
      builder.note(`${place} is in ${profile.unit}, the first one is not: it is left out`);
      continue;
    }
    const { name, ...more } = threadOf(profile, k, isOwn);
    const thread = builder.thread(name, more);
    let time = 0;
    for (const { frames: own, weight, place: where } of stacksOf(profile, place)) {
      if (!Array.isArray(own) || !Number.isFinite(weight) || weight < 0)
        throw new Malformed(where, 'frames and a weight of 0 or more are expected');
      let stack = 0;
      for (const number of own) {
        if (!Number.isInteger(number) || frames[number] === undefined)
          throw new Malformed(where, `there is no frame ${JSON.stringify(number)}`);
        stack = builder.child(stack, frames[number]);
      }
      time += weight * unit.scale;
      builder.add({ thread, timeNs: unit.measure === undefined ? time : 0, cpuNs: weight * unit.scale, stack });
    }
  }
  const source = typeof exporter === 'string' ? exporter.slice(0, 80) : 'speedscope';
  return builder.build({ source, ...(chosen?.measure && { measure: chosen.measure }) });
}

module.exports = { readSpeedscope };
