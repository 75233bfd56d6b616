'use strict';

/**
 * Frames on their way between threads, as columns: a few long arrays are copied many times faster than thousands of
 * objects, and the event loop waits meanwhile.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** What placing changes. */
const PLACED = /** @type {const} */ (['functionName', 'url', 'line', 'column', 'sampledLine', 'sampledColumn']);
/** What it reads. */
const UNPLACED = /** @type {const} */ ([...PLACED, 'kind', 'startOffset', 'sourceLength']);

/**
 * @template {keyof Frame} Field
 * @param {Frame[]} frames
 * @param {readonly Field[]} fields
 * @returns {{ [F in Field]: Frame[F][] }}
 */
function toColumns(frames, fields) {
  const columns = fields.map((field) => [field, frames.map((frame) => frame[field])]);
  return Object.fromEntries(columns);
}

/**
 * Puts columns into frames.
 * @template {keyof Frame} Field
 * @param {Frame[]} frames as many as the columns are long
 * @param {{ [F in Field]: Frame[F][] }} columns
 */
function fromColumns(frames, columns) {
  for (const field of /** @type {Field[]} */ (Object.keys(columns))) {
    const column = columns[field];
    for (const [i, frame] of frames.entries()) frame[field] = column[i];
  }
}

module.exports = { PLACED, UNPLACED, fromColumns, toColumns };
