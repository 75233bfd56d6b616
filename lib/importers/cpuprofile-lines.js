'use strict';

const { Malformed } = require('./malformed');

/**
 * The lines of a `.cpuprofile`: a node's `positionTicks` say how many of its own samples were at each line, not which. Its samples are
 * given the lines in turn, so that sums by line are the file's.
 *
 * @typedef {{ node: any, place: string, above: number, stack: number, told: import('./recording-builder').Told }} KnownNode
 */

/** @param {any} ticks @param {string} place @returns {{ line: number, ticks: number }[]} */
function ticksAt(ticks, place) {
  if (ticks === undefined || ticks === null) return [];
  if (!Array.isArray(ticks)) throw new Malformed(place, 'an array is expected');
  ticks.forEach((each, i) => {
    if (!Number.isSafeInteger(each?.line) || !Number.isSafeInteger(each?.ticks))
      throw new Malformed(`${place}[${i}]`, 'a line and its ticks are expected');
  });
  return ticks.filter(({ line, ticks: count }) => line > 0 && count > 0);
}

class LinesOfNodes {
  /** By node: its lines, which of them is next, and how often it has been used. @type {Map<number, { lines: { ticks: number, stack: number }[], at: number, used: number }>} */
  #byNode = new Map();

  /** @param {import('./recording-builder').RecordingBuilder} builder */
  constructor(builder) {
    this.builder = builder;
  }

  /** The stack of the node's next sample. @param {number} id @param {KnownNode} known */
  stackOf(id, { node, place, above, stack, told }) {
    let own = this.#byNode.get(id);
    if (own === undefined) {
      const ticks = above === -1 ? [] : ticksAt(node.positionTicks, `${place}.positionTicks`);
      const lines = ticks.map(({ line, ticks: count }) => ({
        ticks: count,
        stack: this.builder.child(above, this.builder.frame({ ...told, sampledLine: line })),
      }));
      own = { lines, at: 0, used: 0 };
      this.#byNode.set(id, own);
    }
    const line = own.lines[own.at];
    if (line === undefined) return stack;
    if (++own.used === line.ticks) {
      own.at++;
      own.used = 0;
    }
    return line.stack;
  }
}

module.exports = { LinesOfNodes };
