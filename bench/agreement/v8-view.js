'use strict';

/**
 * Which function V8's own profiler charges with a sample that we took: what it cannot see is folded as it folds it. Two rules, both from
 * its source (src/profiler/tick-sample.cc, symbolizer.cc and src/execution/frames.cc of V8 11.3):
 *
 * 1. The function that the program counter is in is that of the code object: functions inlined at that place are found in callers
 *    only, where the counter is a return address.
 * 2. Above it, the frame at the frame pointer is left out, as it is taken for the frame of that code. While a builtin runs that has
 *    made no frame, this is its caller's.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');

const PUSH_RBP_MOV_RBP_RSP = '554889e5';

/**
 * The builtins of a binary that make their frame with their first instruction, if at all; the others have paths without one.
 * @param {string} node
 * @returns {Set<string>} names without `Builtins_`
 */
function builtinsWithFrame(node) {
  const segments = execFileSync('readelf', ['-lW', node], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /^\s+LOAD/.test(line))
    .map((line) => line.trim().split(/\s+/).slice(1, 6).map(Number));
  const symbols = execFileSync('nm', [node], { encoding: 'utf8', maxBuffer: 2 ** 28 }).matchAll(
    /^(\w+) \w Builtins_(\w+)$/gm,
  );
  const file = fs.openSync(node, 'r');
  const entry = Buffer.alloc(4);
  const names = new Set();
  for (const [, hex, name] of symbols) {
    const address = Number.parseInt(hex, 16);
    const segment = segments.find(([, start, , , size]) => address >= start && address < start + size);
    if (segment === undefined) continue;
    fs.readSync(file, entry, 0, 4, address - segment[1] + segment[0]);
    if (entry.toString('hex') === PUSH_RBP_MOV_RBP_RSP) names.add(name);
  }
  fs.closeSync(file);
  return names;
}

/**
 * @param {import('../../binding').NativeRecording} recording
 * @param {Set<string>} framed
 * @returns {(stack: number) => number} of a sample's stack, the node from which to look for its function
 */
function asV8Sees(recording, framed) {
  /** @param {number} node */
  const frameOf = (node) => recording.frames[recording.stackFrames[node]];
  /** @param {number} node @returns {number} the outermost function of the code that it is in */
  const codeOf = (node) => {
    let at = node;
    while (frameOf(at).inlined) at = recording.stackParents[at];
    return at;
  };
  return (stack) => {
    const leaf = frameOf(stack);
    if (leaf.kind === 'js') return codeOf(stack);
    if (leaf.kind !== 'builtin' || framed.has(leaf.functionName)) return stack;
    const caller = recording.stackParents[stack];
    const isCompiled = caller !== 0 && frameOf(caller).kind === 'js' && frameOf(caller).tier !== 'interpreted';
    return isCompiled ? recording.stackParents[codeOf(caller)] : stack;
  };
}

module.exports = { asV8Sees, builtinsWithFrame };
