'use strict';

const { Malformed, RecordingBuilder } = require('./recording-builder');

/** Speedscope's own format, `sampled` and `evented` profiles (https://www.speedscope.app/file-format-schema.json). */

const UNITS_NS = /** @type {Record<string, number>} */ ({
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
  none: 1e6,
  bytes: 1,
});

/**
 * Stacks with their weights, of either type of profile.
 * @param {any} profile @param {string} place
 * @returns {Generator<{ frames: number[], weight: number }>}
 */
function* stacksOf(profile, place) {
  if (profile.type === 'sampled') {
    if (!Array.isArray(profile.samples) || !Array.isArray(profile.weights))
      throw new Malformed(place, 'samples and weights are expected');
    for (let i = 0; i < profile.samples.length; i++) yield { frames: profile.samples[i], weight: profile.weights[i] };
    return;
  }
  if (profile.type !== 'evented' || !Array.isArray(profile.events))
    throw new Malformed(place, 'it is neither sampled nor evented');
  const open = [];
  let last = profile.startValue;
  for (const { type, at, frame } of profile.events) {
    if (at > last) yield { frames: [...open], weight: at - last };
    last = at;
    if (type === 'O') open.push(frame);
    else open.pop();
  }
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
  const frames = shared.frames.map((/** @type {any} */ frame, /** @type {number} */ i) => {
    if (typeof frame?.name !== 'string') throw new Malformed(`shared.frames[${i}].name`, 'a string is expected');
    return builder.frame({
      functionName: frame.name,
      url: String(frame.file ?? ''),
      line: Number(frame.line) || 0,
      column: Number(frame.col) || 0,
    });
  });
  profiles.forEach((profile, k) => {
    const place = `profiles[${k}]`;
    const unit = UNITS_NS[profile?.unit];
    if (unit === undefined) throw new Malformed(`${place}.unit`, `it is ${JSON.stringify(profile?.unit)}`);
    const thread = builder.thread(String(profile.name ?? place), { tid: k });
    let timeNs = 0;
    let i = 0;
    for (const { frames: own, weight } of stacksOf(profile, place)) {
      if (!Array.isArray(own) || !Number.isFinite(weight))
        throw new Malformed(`${place}.samples[${i}]`, 'frames and a weight are expected');
      let stack = 0;
      for (const number of own) {
        if (frames[number] === undefined) throw new Malformed(`${place}.samples[${i}]`, `there is no frame ${number}`);
        stack = builder.child(stack, frames[number]);
      }
      timeNs += weight * unit;
      builder.add({ thread, timeNs, cpuNs: weight * unit, stack });
      i++;
    }
  });
  return builder.build({ source: String(exporter ?? 'speedscope') });
}

module.exports = { readSpeedscope };
