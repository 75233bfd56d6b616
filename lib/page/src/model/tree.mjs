/**
 * The stack tree of a view: what is under what, and what is drawn of it. No document, no drawing.
 *
 * @typedef {import('./data.mjs').PageView} PageView
 * @typedef {{ firstChild: Uint32Array, nextSibling: Uint32Array }} Links
 *
 * @typedef {object} Box a frame as it is drawn
 * @property {number} node of the stack tree, or a number that is the box's own
 * @property {number} fn its function; -1: the root
 * @property {boolean} isInlined
 * @property {number} depth
 * @property {number} begin share of the width
 * @property {number} width share of the width
 * @property {number} total
 * @property {number} self
 */

/** Each node's first child and next sibling. @param {Uint32Array} parents @returns {Links} */
export function linkChildren(parents) {
  const firstChild = new Uint32Array(parents.length);
  const nextSibling = new Uint32Array(parents.length);
  for (let node = parents.length - 1; node > 0; node--) {
    nextSibling[node] = firstChild[parents[node]];
    firstChild[parents[node]] = node;
  }
  return { firstChild, nextSibling };
}

/** Children with time, the heaviest first. @param {Links} links @param {Float64Array} total @param {number} node */
export function childrenOf({ firstChild, nextSibling }, total, node) {
  const children = [];
  for (let child = firstChild[node]; child !== 0; child = nextSibling[child]) {
    if (total[child] > 0) children.push(child);
  }
  return children.sort((a, b) => total[b] - total[a]);
}

/** From the root's child down to a node. @param {Uint32Array} parents @param {number} node */
export function pathTo(parents, node) {
  const path = [];
  for (let at = node; at !== 0; at = parents[at]) path.push(at);
  return path.reverse();
}

/**
 * A node and what is below it, without what is too narrow to be seen.
 * @param {PageView} view
 * @param {Links} links
 * @param {{ self: Float64Array, total: Float64Array }} sums
 * @param {number} focus
 * @param {number} least share of the width
 * @returns {Box[]}
 */
export function layOut(view, links, { self, total }, focus, least) {
  const whole = total[focus] || 1;
  /** @param {number} node @param {number} depth @param {number} begin @returns {Box} */
  const box = (node, depth, begin) => ({
    ...{ node, fn: node === 0 ? -1 : view.functionOf[node], isInlined: view.isInlined[node] === 1 },
    ...{ depth, begin, width: total[node] / whole, total: total[node], self: self[node] },
  });
  const boxes = [box(focus, 0, 0)];
  for (let i = 0; i < boxes.length; i++) {
    const { node, depth, begin } = boxes[i];
    /** @type {number[]} */
    const wide = [];
    for (let child = links.firstChild[node]; child !== 0; child = links.nextSibling[child]) {
      if (total[child] >= whole * least) wide.push(child);
    }
    wide.sort((a, b) => total[b] - total[a]);
    let at = begin;
    for (const child of wide) {
      boxes.push(box(child, depth + 1, at));
      at += total[child] / whole;
    }
  }
  return boxes;
}
