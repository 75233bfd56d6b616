'use strict';

const { scriptPath } = require('./frames');
const { readScriptFile } = require('./script-file');

/** Fills in lines and columns that V8 had not yet computed when a function was sampled, from the script's file. */

/**
 * The starts of a text's lines, as V8 counts them.
 * @param {string} text
 */
function lineStarts(text) {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return starts;
}

/**
 * @param {number[]} starts
 * @param {number} offset UTF-16 units
 * @returns {{ line: number, column: number }} 1-based
 */
function positionOf(starts, offset) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low] + 1 };
}

/**
 * The line starts of the source that V8 compiled, or null when the file is not that source (any more): its length in
 * UTF-16 units must be the one that was recorded, with or without a byte order mark.
 * @param {string} file
 * @param {number} sourceLength
 * @returns {number[] | null}
 */
function readLineStarts(file, sourceLength) {
  let text;
  try {
    text = readScriptFile(file);
  } catch {
    return null; // The file is gone or was never one; the function keeps its name and loses its line.
  }
  if (text.length !== sourceLength && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  return text.length === sourceLength ? lineStarts(text) : null;
}

/** Whether a function's place must be looked up in its file. @param {import('../binding').NativeFrame} frame */
function lacksPosition({ line, kind, startOffset, sourceLength }) {
  return line === 0 && kind === 'js' && startOffset >= 0 && sourceLength > 0;
}

/**
 * Completes `line` and `column` of frames in place. Each file is read once.
 * @param {import('../binding').NativeFrame[]} frames
 */
function fillSourcePositions(frames) {
  /** @type {Map<string, number[] | null>} */
  const known = new Map();
  for (const frame of frames) {
    if (!lacksPosition(frame)) continue;
    const file = scriptPath(frame);
    if (file === null) continue;
    const key = `${frame.sourceLength}\0${file}`;
    let starts = known.get(key);
    if (starts === undefined) {
      starts = readLineStarts(file, frame.sourceLength);
      known.set(key, starts);
    }
    if (starts !== null && frame.startOffset <= frame.sourceLength) {
      Object.assign(frame, positionOf(starts, frame.startOffset));
    }
  }
}

module.exports = { fillSourcePositions, lacksPosition, lineStarts, positionOf };
