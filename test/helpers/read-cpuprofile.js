'use strict';

/** A reader of `.cpuprofile` as VS Code and DevTools do it: `samples[i]` lasts until the next one, the last to the end. */

/**
 * Self time of each function, µs.
 * @param {import('../../lib/index').CpuProfile} profile
 * @returns {Map<string, number>}
 */
function selfTimes({ nodes, samples, timeDeltas, startTime, endTime }) {
  const names = new Map(nodes.map((node) => [node.id, node.callFrame.functionName]));
  /** @type {Map<string, number>} */
  const self = new Map();
  let time = startTime;
  samples.forEach((id, i) => {
    time += timeDeltas[i];
    const duration = i + 1 < samples.length ? timeDeltas[i + 1] : endTime - time;
    const name = /** @type {string} */ (names.get(id));
    self.set(name, (self.get(name) ?? 0) + duration);
  });
  return self;
}

/**
 * The stack of a node, root first, without `(root)`.
 * @param {import('../../lib/index').CpuProfile} profile
 * @param {number} id
 */
function stackOf({ nodes }, id) {
  const parents = new Map(nodes.flatMap((node) => node.children.map((child) => [child, node])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stack = [];
  for (let node = byId.get(id); node !== undefined; node = parents.get(node.id))
    stack.push(node.callFrame.functionName);
  return stack.reverse().slice(1);
}

module.exports = { selfTimes, stackOf };
