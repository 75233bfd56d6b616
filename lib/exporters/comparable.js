'use strict';

/**
 * Two recordings, made comparable: a function that has moved in its file, or whose script has another number in another
 * process, is still the same. It is shown where it is in the later one. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** A function without a name is told by its place alone. @param {Frame} frame */
function identity({ kind, functionName, url, module, line, column }) {
  return [kind, functionName, url, module, ...(functionName === '' ? [line, column] : [])].join('\0');
}

/**
 * @param {Recording} before
 * @param {Recording} after
 * @returns {[Recording, Recording]}
 */
function comparable(before, after) {
  /** @type {Map<string, { line: number, column: number }>} */
  const places = new Map();
  for (const frame of [...after.frames, ...before.frames]) {
    const key = identity(frame);
    if (!places.has(key)) places.set(key, { line: frame.line, column: frame.column });
  }
  /** @param {Frame} frame */
  const alike = (frame) => ({
    ...frame,
    ...places.get(identity(frame)),
    ...{ scriptId: 0, startOffset: -1, sourceLength: 0 },
  });
  /** @param {Recording} recording @returns {Recording} */
  const make = (recording) => ({
    ...recording,
    frames: recording.frames.map(alike),
    // Kept apart by their threads alone.
    ...{ intervalNs: before.intervalNs, mode: before.mode, startTimeMs: before.startTimeMs },
    ...{ blocks: [], sampleBlocks: new Uint32Array(recording.sampleBlocks.length) },
  });
  return [make(before), make(after)];
}

module.exports = { comparable };
