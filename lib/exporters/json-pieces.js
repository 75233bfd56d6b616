'use strict';

/** JSON in pieces, none of them long: a profile may be longer than a string can be. */

/** Elements of an array written in one piece. */
const PIECE = 4096;

/** A property whose value is an array. @param {string} key @param {unknown[]} array @returns {Generator<string>} */
function* arrayPieces(key, array) {
  yield `${JSON.stringify(key)}:[`;
  for (let i = 0; i < array.length; i += PIECE) {
    const text = JSON.stringify(array.slice(i, i + PIECE)).slice(1, -1);
    yield i === 0 ? text : `,${text}`;
  }
  yield ']';
}

/**
 * An object whose values are columns of one length, and that length.
 * @param {Record<string, unknown[]>} columns
 * @returns {Generator<string>}
 */
function* columnPieces(columns) {
  const all = Object.entries(columns);
  yield `{"length":${all[0][1].length}`;
  for (const [key, array] of all) {
    yield ',';
    yield* arrayPieces(key, array);
  }
  yield '}';
}

module.exports = { arrayPieces, columnPieces };
