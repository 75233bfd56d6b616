'use strict';

/** Garbage collections without end: allocation of all kinds, `gc()` major and minor, compaction of every page. */

const { join, main, randomOf } = require('./harness');

/** @param {() => number} random */
function makeGraph(random) {
  const nodes = Array.from({ length: 4000 }, (_, i) => ({
    id: i,
    value: random() % 1000,
    text: `node ${i}`,
    next: null,
  }));
  for (const node of nodes) node.next = /** @type {any} */ (nodes[random() % nodes.length]);
  return nodes;
}

/** @param {any} graph */
function walkGraph(graph) {
  let sum = 17;
  let node = graph[0];
  for (let i = 0; i < 20000; i++) {
    sum = join(sum, node.value + node.text.length);
    node = i % 7 === 0 ? graph[sum % graph.length] : node.next;
  }
  return sum;
}

/** @param {number} seed */
function round(seed) {
  const random = randomOf(seed);
  const collect = /** @type {any} */ (globalThis).gc;
  let sum = 0;
  const kept = [];
  for (let i = 0; i < 12; i++) {
    const graph = makeGraph(random);
    kept.push(graph, new Map(graph.map((node) => [node.text, node])), Buffer.alloc(50_000 + i), new WeakRef(graph));
    if (kept.length > 16) kept.splice(0, 4);
    if (i % 4 === 0) collect?.();
    if (i % 3 === 0) collect?.({ type: 'minor' });
    sum = join(sum, walkGraph(graph));
  }
  return sum;
}

main(module, { exitStatus: 41, round });
