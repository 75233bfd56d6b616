'use strict';

/**
 * Columns as the flame graph page carries them: base64 of zigzag varints of differences, a byte or two an element where
 * neighbours are near. `lib/page/src/data.mjs` reads them.
 */

/** Bytes of a piece: a multiple of three, so that pieces of base64 can be joined. */
const PIECE = 3 << 16;
/** The longest varint of a whole number. */
const LONGEST = 10;

/**
 * @param {ArrayLike<number>} column others than whole numbers are rounded
 * @returns {Generator<string>} base64, in pieces
 */
function* encodedColumn(column) {
  const bytes = Buffer.allocUnsafe(PIECE + LONGEST);
  let size = 0;
  let before = 0;
  for (let i = 0; i < column.length; i++) {
    const value = Math.round(column[i]);
    const difference = value - before;
    before = value;
    let rest = difference < 0 ? -2 * difference - 1 : 2 * difference;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[size++] = (rest % 128) + 128;
    bytes[size++] = rest;
    if (size < PIECE) continue;
    yield bytes.toString('base64', 0, PIECE);
    bytes.copyWithin(0, PIECE, size);
    size -= PIECE;
  }
  if (size > 0) yield bytes.toString('base64', 0, size);
}

module.exports = { encodedColumn };
