/**
 * What the page computes from a profile: sums of the samples that are chosen, and the part of the stack tree that can be
 * seen. No document, no drawing.
 *
 * @typedef {import('./data.mjs').PageProfile} PageProfile
 * @typedef {{ thread: number | null, from: number, to: number, value: 'cpu' | 'wall', block: number | null, side: number | null }} Choice
 *   `from` and `to`: steps of time, `to` excluded; null: all
 * @typedef {{ node: number, name: string, value: number, share: number, change: number, children: TreeNode[] }} TreeNode
 *   `share` and `change` are of the root's value
 */

/** @param {PageProfile} profile @param {Choice} choice @param {number} i a sample */
function isChosen(profile, { thread, from, to, block, side }, i) {
  const bucket = profile.sampleBuckets[i];
  return (
    bucket >= from &&
    bucket < to &&
    (thread === null || profile.sampleThreads[i] === thread) &&
    (block === null || profile.sampleBlocks[i] === block) &&
    (side === null || profile.sampleSides[i] === side)
  );
}

/**
 * Self and total time of each node of the stack tree, nanoseconds.
 * @param {PageProfile} profile
 * @param {Choice} choice
 */
export function sumNodes(profile, choice) {
  const { parents, stacks } = profile;
  const values = choice.value === 'wall' ? profile.wallNs : profile.cpuNs;
  const self = new Float64Array(parents.length);
  for (let i = 0; i < stacks.length; i++) if (isChosen(profile, choice, i)) self[stacks[i]] += values[i];
  const total = self.slice();
  // A parent's number is lower than its children's.
  for (let node = total.length - 1; node > 0; node--) total[parents[node]] += total[node];
  return { self, total };
}

/** Time by step, of what is chosen but for the window of time. @param {PageProfile} profile @param {Choice} choice */
export function sumBuckets(profile, choice) {
  const values = choice.value === 'wall' ? profile.wallNs : profile.cpuNs;
  const sums = new Float64Array(profile.bucketCount);
  const anyTime = { ...choice, from: 0, to: profile.bucketCount };
  for (let i = 0; i < values.length; i++) {
    if (isChosen(profile, anyTime, i)) sums[profile.sampleBuckets[i]] += values[i];
  }
  return sums;
}

/** Each node's first child and next sibling. @param {Uint32Array} parents */
export function linkChildren(parents) {
  const firstChild = new Uint32Array(parents.length);
  const nextSibling = new Uint32Array(parents.length);
  for (let node = parents.length - 1; node > 0; node--) {
    nextSibling[node] = firstChild[parents[node]];
    firstChild[parents[node]] = node;
  }
  return { firstChild, nextSibling };
}

/**
 * The tree from the root down to `focus`, and from there all that is not too narrow to be seen. In a difference `change` is
 * what a node's share has gained since before.
 * @param {PageProfile} profile
 * @param {ReturnType<typeof linkChildren>} links
 * @param {{ total: Float64Array, before: Float64Array | null, focus: number, least: number }} what `least`: of the focus's value
 * @returns {TreeNode}
 */
export function visibleTree(
  { functions, functionOf, parents },
  { firstChild, nextSibling },
  { total, before, focus, least },
) {
  const all = total[0] || 1;
  const allBefore = before?.[0] || 1;
  const value = total[focus];
  /** @param {number} node @param {number} shown @returns {TreeNode} */
  const make = (node, shown) => ({
    node,
    name: node === 0 ? 'all' : functions[functionOf[node]].name,
    value: shown,
    share: total[node] / all,
    change: before === null ? 0 : total[node] / all - before[node] / allBefore,
    children: [],
  });
  const top = make(focus, value);
  const pending = [top];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (let child = firstChild[parent.node]; child !== 0; child = nextSibling[child]) {
      if (total[child] === 0 || total[child] < value * least) continue;
      const made = make(child, total[child]);
      parent.children.push(made);
      pending.push(made);
    }
    parent.children.sort((a, b) => b.value - a.value);
  }
  let tree = top;
  for (let node = focus; node !== 0; ) {
    node = parents[node];
    // As wide as what is looked at.
    tree = { ...make(node, value), children: [tree] };
  }
  return tree;
}

/**
 * Time with a function that matches anywhere on the stack, and the matching functions.
 * @param {PageProfile} profile
 * @param {Float64Array} total
 * @param {number} focus only what is below it
 * @param {(name: string) => boolean} isMatch
 */
export function search({ functions, functionOf, parents }, total, focus, isMatch) {
  const matches = functions.map(({ name, where }) => isMatch(name) || isMatch(where));
  // 0: not below the focus; 1: below it; 2: below a match
  const state = new Uint8Array(parents.length);
  state[focus] = focus !== 0 && matches[functionOf[focus]] ? 2 : 1;
  let matched = state[focus] === 2 ? total[focus] : 0;
  for (let node = focus + 1; node < parents.length; node++) {
    const above = state[parents[node]];
    if (above === 0) continue;
    state[node] = above;
    if (above === 1 && matches[functionOf[node]]) {
      state[node] = 2;
      matched += total[node];
    }
  }
  return { matched, matches };
}

/**
 * Functions with their self and total times below `focus`; a recursive one counts once a stack.
 * @param {PageProfile} profile
 * @param {{ self: Float64Array, total: Float64Array }} sums
 * @param {number} focus
 */
export function functionTimes({ functions, functionOf, parents }, { self, total }, focus) {
  const selfNs = new Float64Array(functions.length);
  const totalNs = new Float64Array(functions.length);
  const isBelow = new Uint8Array(parents.length);
  isBelow[focus] = 1;
  for (let node = focus; node < parents.length; node++) {
    if (node !== focus) isBelow[node] = isBelow[parents[node]];
    if (isBelow[node] === 0 || node === 0 || total[node] === 0) continue;
    const own = functionOf[node];
    selfNs[own] += self[node];
    let above = node;
    do above = above === focus ? 0 : parents[above];
    while (above !== 0 && functionOf[above] !== own);
    if (above === 0) totalNs[own] += total[node];
  }
  return functions
    .map((each, id) => ({ ...each, id, selfNs: selfNs[id], totalNs: totalNs[id] }))
    .filter((row) => row.totalNs > 0);
}

/** From the root's child down to a node. @param {Uint32Array} parents @param {number} node */
export function pathTo(parents, node) {
  const path = [];
  for (let at = node; at !== 0; at = parents[at]) path.push(at);
  return path.reverse();
}
