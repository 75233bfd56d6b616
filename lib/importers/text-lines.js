'use strict';

/** A text's lines, one after the other: as a whole it may be longer than a string can be. */

/** @param {Buffer} bytes @returns {Generator<string>} without their line ends */
function* linesOf(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    const last = end > at && bytes[end - 1] === 13 ? end - 1 : end;
    yield bytes.toString('utf8', at, last);
    at = end + 1;
  }
}

/** Whether a line says nothing. @param {string} line */
function isIdle(line) {
  return line.startsWith('#') || line.trim() === '';
}

/** The first lines that say something, shortened. @param {Buffer} bytes @param {number} count */
function firstLines(bytes, count) {
  const lines = [];
  for (const line of linesOf(bytes.subarray(0, 1 << 16))) {
    if (isIdle(line)) continue;
    lines.push(line.slice(0, 1024));
    if (lines.length === count) break;
  }
  return lines;
}

module.exports = { linesOf, isIdle, firstLines };
