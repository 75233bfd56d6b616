'use strict';

const { GC, PROGRAM, displayName, placer } = require('../recording/frames');
const { numberFunctions, sumStacks, totalWeight } = require('../recording/model');
const { formatPercent } = require('../base/units');
const { visible } = require('../base/visible');
const { shortNames } = require('../recording/native-names');

/**
 * The call tree as text: total and self share of each function below its caller. A function that has one callee only, which
 * has all its time, is followed by it without a further step to the right.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {{ label: string, selfNs: number, totalNs: number, children: Map<number, Node> }} Node
 */

/** @param {Recording} recording @returns {Node} */
function buildTree(recording) {
  const { functionOf, representatives } = numberFunctions(recording.frames);
  const natives = representatives.filter(({ kind }) => kind === 'native');
  const short = shortNames(natives.map(displayName));
  const whereOf = placer(recording.frames);
  const labels = representatives.map((frame) => {
    const name = displayName(frame);
    return `${frame.kind === 'native' ? short(name) : name}  ${whereOf(frame)}`.trimEnd();
  });
  const gc = labels.push(GC) - 1;
  const program = labels.push(PROGRAM) - 1;
  /** @param {string} label @returns {Node} */
  const make = (label) => ({ label, selfNs: 0, totalNs: 0, children: new Map() });
  const root = make('all');
  for (const { stack, isGc, cpuNs } of sumStacks(recording)) {
    const path = isGc ? [gc] : stack === 0 ? [program] : [];
    for (let node = stack; node !== 0; node = recording.stackParents[node])
      path.push(functionOf[recording.stackFrames[node]]);
    let at = root;
    at.totalNs += cpuNs;
    for (const number of path.reverse()) {
      let child = at.children.get(number);
      if (child === undefined) {
        child = make(labels[number]);
        at.children.set(number, child);
      }
      child.totalNs += cpuNs;
      at = child;
    }
    at.selfNs += cpuNs;
  }
  return root;
}

/**
 * @param {Recording} recording
 * @param {{ threshold: number }} settings least share of all time, 0 to 1
 * @returns {Generator<string>} lines, each with its line feed
 */
function* treePieces(recording, { threshold }) {
  const all = totalWeight(recording);
  yield `${'total'.padStart(8)}${'self'.padStart(9)}  function\n`;
  const pending = [{ node: buildTree(recording), depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, depth } = next;
    const shares = `${formatPercent(node.totalNs, all).padStart(8)}${formatPercent(node.selfNs, all).padStart(9)}`;
    yield `${shares}  ${' '.repeat(depth)}${visible(node.label)}\n`;
    const children = [...node.children.values()].filter(({ totalNs }) => totalNs >= threshold * all && totalNs > 0);
    const isChain = children.length === 1 && children[0].totalNs === node.totalNs;
    for (const child of children.sort((a, b) => a.totalNs - b.totalNs))
      pending.push({ node: child, depth: isChain ? depth : depth + 1 });
  }
}

module.exports = { treePieces };
