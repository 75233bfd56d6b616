'use strict';

/**
 * Frames as the binding hands them over: texts once, all else as numbers. An object made in JavaScript costs a twentieth
 * of one made through Node-API, property by property.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('../../binding').PackedFrames} PackedFrames
 */

/** Numbers a frame has in `PackedFrames.fields`. */
const FIELDS = 13;

/** @param {PackedFrames} packed @returns {Frame[]} */
function unpackFrames({ texts, fields }) {
  const frames = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    frames.push({
      functionName: texts[fields[at]],
      url: texts[fields[at + 1]],
      scriptId: fields[at + 2],
      line: fields[at + 3],
      column: fields[at + 4],
      sampledLine: fields[at + 5],
      sampledColumn: fields[at + 6],
      kind: /** @type {Frame['kind']} */ (texts[fields[at + 7]]),
      tier: /** @type {Frame['tier']} */ (texts[fields[at + 8]]),
      inlined: fields[at + 9] !== 0,
      module: texts[fields[at + 10]],
      startOffset: fields[at + 11],
      sourceLength: fields[at + 12],
    });
  }
  return frames;
}

/**
 * @param {import('../../binding').PackedRecording} packed
 * @returns {import('../../binding').NativeRecording}
 */
function unpackRecording(packed) {
  const { sourceMaps, ...recording } = packed;
  return { ...recording, frames: unpackFrames(packed.frames) };
}

module.exports = { unpackFrames, unpackRecording };
