/**
 * The callers and the callees of one function, all of its calls merged.
 *
 * @typedef {import('./tree.mjs').Box} Box
 * @typedef {import('./functions.mjs').ViewFacts} ViewFacts
 * @typedef {{ self: Float64Array, total: Float64Array }} Sums
 * @typedef {{ node: number, value: number }} Part a node, and how much of it is meant
 */

/** The function's nodes that are not below another of its own. @param {ViewFacts} facts @param {Sums} sums @param {number} fn @returns {Part[]} */
function outermost({ view, recursive }, { total }, fn) {
  const parts = [];
  for (let node = 1; node < total.length; node++) {
    if (view.functionOf[node] === fn && recursive[node] === 0 && total[node] > 0)
      parts.push({ node, value: total[node] });
  }
  return parts;
}

/**
 * @param {ViewFacts} facts
 * @param {Part[]} roots
 * @param {(part: Part) => Part[]} nextOf what comes next to a node: its caller, or its callees
 * @param {{ fn: number, least: number, selfOf: (part: Part) => number }} how `least`: share of the width
 * @returns {Box[]}
 */
function merge({ view }, roots, nextOf, { fn, least, selfOf }) {
  const sum = (/** @type {Part[]} */ parts) => parts.reduce((all, { value }) => all + value, 0);
  const whole = sum(roots) || 1;
  /** @type {{ box: Box, parts: Part[] }[]} */
  const pending = [];
  let number = 0;
  /** @param {Part[]} parts @param {number} own @param {number} depth @param {number} begin @param {number} value */
  const add = (parts, own, depth, begin, value) => {
    const self = parts.reduce((all, part) => all + selfOf(part), 0);
    const isInlined = parts.length > 0 && parts.every(({ node }) => view.isInlined[node] === 1);
    const box = { node: number++, fn: own, isInlined, depth, begin, width: value / whole, total: value, self };
    pending.push({ box, parts });
  };
  add(roots, fn, 0, 0, sum(roots));
  for (let i = 0; i < pending.length; i++) {
    const { box, parts } = pending[i];
    /** @type {Map<number, Part[]>} */
    const groups = new Map();
    for (const part of parts.flatMap(nextOf)) {
      const own = view.functionOf[part.node];
      const group = groups.get(own);
      if (group === undefined) groups.set(own, [part]);
      else group.push(part);
    }
    const sums = [...groups].map(([own, group]) => ({ own, group, value: sum(group) }));
    let begin = box.begin;
    for (const { own, group, value } of sums.sort((a, b) => b.value - a.value)) {
      if (value < whole * least) break;
      add(group, own, box.depth + 1, begin, value);
      begin += value / whole;
    }
    pending[i].parts = [];
  }
  return pending.map(({ box }) => box);
}

/**
 * @param {ViewFacts} facts
 * @param {Sums} sums
 * @param {number} fn
 * @param {number} least share of the width
 * @returns {{ callers: Box[], callees: Box[] }} the function itself is the first box of each
 */
export function layOutSandwich(facts, sums, fn, least) {
  const { parents } = facts.view;
  const { firstChild, nextSibling } = facts.links;
  const { self, total } = sums;
  const roots = outermost(facts, sums, fn);
  const callersOf = (/** @type {Part} */ { node, value }) =>
    parents[node] === 0 ? [] : [{ node: parents[node], value }];
  const calleesOf = (/** @type {Part} */ { node }) => {
    const parts = [];
    for (let child = firstChild[node]; child !== 0; child = nextSibling[child]) {
      if (total[child] > 0) parts.push({ node: child, value: total[child] });
    }
    return parts;
  };
  return {
    callers: merge(facts, roots, callersOf, { fn, least, selfOf: () => 0 }),
    callees: merge(facts, roots, calleesOf, { fn, least, selfOf: ({ node }) => self[node] }),
  };
}
