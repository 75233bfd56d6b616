'use strict';

const { readCompiledText } = require('./compiled-text');
const { scriptPath } = require('../recording/frames');

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

/** Whether a function's place must be looked up in its file. @param {import('../../binding').NativeFrame} frame */
function lacksPosition({ line, kind, startOffset, sourceLength }) {
  return line === 0 && kind === 'js' && startOffset >= 0 && sourceLength > 0;
}

/**
 * Completes `line` and `column` of frames in place. Each file is read once.
 * @param {import('../../binding').NativeFrame[]} frames
 */
function fillSourcePositions(frames) {
  /** @type {Map<string, { starts: number[], indent: number, length: number } | null>} */
  const known = new Map();
  for (const frame of frames) {
    if (!lacksPosition(frame)) continue;
    const file = scriptPath(frame);
    if (file === null) continue;
    const key = `${frame.sourceLength}\0${file}`;
    let lines = known.get(key);
    if (lines === undefined) {
      const compiled = readCompiledText(file, frame.sourceLength);
      lines =
        compiled === null || compiled === 'other'
          ? null // The function keeps its name, and has no line.
          : { starts: lineStarts(compiled.text), indent: compiled.indent, length: compiled.text.length };
      known.set(key, lines);
    }
    const offset = frame.startOffset - (lines?.indent ?? 0);
    if (lines === null || offset < 0 || offset > lines.length) continue;
    const { line, column } = positionOf(lines.starts, offset);
    Object.assign(frame, { line, column: column + (line === 1 ? lines.indent : 0) });
  }
}

module.exports = { fillSourcePositions, lacksPosition, lineStarts, positionOf };
