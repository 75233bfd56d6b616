'use strict';

/**
 * Columns as the flame graph page carries them: base64 of zigzag varints of differences, a byte or two an element where
 * neighbours are near. `lib/page/src/data.mjs` reads them. And what is read from stacks besides functions: the places.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
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

/**
 * How the total time of each function's node divides into lines and tiers.
 * @param {Recording} recording
 * @param {ArrayLike<number>} nodeOfStack
 * @param {ArrayLike<number>} weights by sample
 */
function placesOf({ frames, stackFrames, stackParents, sampleStacks }, nodeOfStack, weights) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const placeOf = frames.map(({ sampledLine, tier }) => {
    const words = [sampledLine > 0 ? `line ${sampledLine}` : '', tier].filter(Boolean).join(' ');
    if (!numbers.has(words)) numbers.set(words, numbers.size);
    return /** @type {number} */ (numbers.get(words));
  });
  const none = numbers.get('');
  const totals = new Float64Array(stackParents.length);
  for (let i = 0; i < sampleStacks.length; i++) totals[sampleStacks[i]] += weights[i];
  for (let stack = totals.length - 1; stack > 0; stack--) totals[stackParents[stack]] += totals[stack];
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (let stack = 1; stack < totals.length; stack++) {
    const place = placeOf[stackFrames[stack]];
    if (totals[stack] === 0 || place === none) continue;
    const key = nodeOfStack[stack] * numbers.size + place;
    sums.set(key, (sums.get(key) ?? 0) + totals[stack]);
  }
  const keys = Float64Array.from(sums.keys()).sort();
  const placeNodes = keys.map((key) => Math.floor(key / numbers.size));
  return {
    places: [...numbers.keys()],
    columns: {
      placeNodes,
      placeNumbers: keys.map((key) => key % numbers.size),
      // Where there is one place, it is all of the node's.
      placeNs: keys.map((key, i) => {
        const isAlone = placeNodes[i - 1] !== placeNodes[i] && placeNodes[i + 1] !== placeNodes[i];
        return isAlone ? 0 : /** @type {number} */ (sums.get(key));
      }),
    },
  };
}

module.exports = { encodedColumn, placesOf };
