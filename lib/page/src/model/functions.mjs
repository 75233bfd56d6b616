import { linkChildren } from './tree.mjs';

/**
 * What is summed by function, package and line. A function counts once a stack, however often it is on it.
 *
 * @typedef {import('./data.mjs').PageProfile} PageProfile
 * @typedef {import('./data.mjs').PageView} PageView
 * @typedef {{ self: Float64Array, total: Float64Array, fineSelf: Float64Array }} Sums
 * @typedef {{ id: number, self: number, total: number }} FunctionRow
 * @typedef {{ owner: number, self: number, total: number }} OwnerRow
 */

/**
 * Of each node whether the same key is above it.
 * @param {Uint32Array} parents
 * @param {(node: number) => number} keyOf
 * @param {number} keys how many there are
 */
function repeated(parents, keyOf, keys) {
  const { firstChild, nextSibling } = linkChildren(parents);
  const isRepeated = new Uint8Array(parents.length);
  const above = new Uint32Array(keys);
  let node = firstChild[0];
  while (node !== 0) {
    const key = keyOf(node);
    if (above[key] > 0) isRepeated[node] = 1;
    above[key]++;
    if (firstChild[node] !== 0) {
      node = firstChild[node];
      continue;
    }
    for (; node !== 0; node = parents[node]) {
      above[keyOf(node)]--;
      if (nextSibling[node] !== 0) break;
    }
    node = node === 0 ? 0 : nextSibling[node];
  }
  return isRepeated;
}

/** What follows from a view alone, computed when it is first needed. */
export class ViewFacts {
  /** @type {Uint8Array | null} */
  #recursive = null;
  /** @type {Uint32Array | null} */
  #owners = null;
  /** @type {Uint8Array | null} */
  #ownerRepeated = null;
  /** @type {Uint8Array | null} */
  #lineRepeated = null;

  /** @param {PageView} view @param {number} ownerCount */
  constructor(view, ownerCount) {
    this.view = view;
    this.ownerCount = ownerCount;
    this.links = linkChildren(view.parents);
  }

  /** Of each node whether its function is above it, too. */
  get recursive() {
    const { parents, functionOf, functions } = this.view;
    this.#recursive ??= repeated(parents, (node) => functionOf[node], functions.length);
    return this.#recursive;
  }

  /** Each node's owner: its function's, or its caller's; one more than there are: not known. */
  get owners() {
    if (this.#owners !== null) return this.#owners;
    const { parents, functionOf, functions } = this.view;
    const owners = new Uint32Array(parents.length).fill(this.ownerCount);
    for (let node = 1; node < owners.length; node++) {
      const { owner } = functions[functionOf[node]];
      owners[node] = owner === -1 ? owners[parents[node]] : owner;
    }
    this.#owners = owners;
    return owners;
  }

  get ownerRepeated() {
    const { owners } = this;
    this.#ownerRepeated ??= repeated(this.view.parents, (node) => owners[node], this.ownerCount + 1);
    return this.#ownerRepeated;
  }

  /** The number of a function's line. @param {number} fine node of the finer tree */
  lineKey(fine) {
    const { places, finePlaces, functionOf, fineNodes } = this.view;
    return functionOf[fineNodes[fine]] * places.length + finePlaces[fine];
  }

  /** Of each node of the finer tree whether its function's line is above it, too. */
  get lineRepeated() {
    const { fineParents, functions, places } = this.view;
    this.#lineRepeated ??= repeated(fineParents, (fine) => this.lineKey(fine), functions.length * places.length);
    return this.#lineRepeated;
  }
}

/** @param {ViewFacts} facts @param {Sums} sums @returns {FunctionRow[]} those with time */
export function functionRows({ view, recursive }, { self, total }) {
  const rows = view.functions.map((_, id) => ({ id, self: 0, total: 0 }));
  for (let node = 1; node < total.length; node++) {
    if (total[node] === 0) continue;
    const row = rows[view.functionOf[node]];
    row.self += self[node];
    if (recursive[node] === 0) row.total += total[node];
  }
  return rows.filter(({ total }) => total > 0);
}

/**
 * @param {ViewFacts} facts
 * @param {Sums} sums
 * @param {Float64Array} selfs by owner, from the samples
 * @returns {OwnerRow[]} those with time
 */
export function ownerRows({ view, owners, ownerRepeated, ownerCount }, { total }, selfs) {
  const totals = new Float64Array(ownerCount + 1);
  for (let node = 1; node < view.parents.length; node++) {
    if (total[node] > 0 && ownerRepeated[node] === 0) totals[owners[node]] += total[node];
  }
  return Array.from(selfs, (self, owner) => ({ owner, self, total: Math.max(self, totals[owner]) })).filter(
    (row) => row.total > 0,
  );
}

/** Total time of each node of the finer tree. @param {PageView} view @param {Sums} sums */
export function fineTotals({ fineParents }, { fineSelf }) {
  const totals = fineSelf.slice();
  // A parent's number is lower than its children's.
  for (let fine = totals.length - 1; fine > 0; fine--) totals[fineParents[fine]] += totals[fine];
  return totals;
}

/**
 * Where in its function a node's time is.
 * @param {PageView} view
 * @param {Float64Array} totals of the finer tree
 * @param {number} node
 * @returns {{ text: string, total: number }[]} the heaviest first
 */
export function placesOf({ fineNodes, finePlaces, places }, totals, node) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (let fine = 1; fine < fineNodes.length; fine++) {
    if (fineNodes[fine] === node && totals[fine] > 0)
      sums.set(finePlaces[fine], (sums.get(finePlaces[fine]) ?? 0) + totals[fine]);
  }
  const parts = [...sums].map(([place, total]) => {
    const [line, tier] = places[place];
    return { text: [line > 0 ? `line ${line}` : '', tier].filter(Boolean).join(' '), total };
  });
  return parts.sort((a, b) => b.total - a.total);
}

/**
 * The time of each line of some functions.
 * @param {ViewFacts} facts
 * @param {Float64Array} fineSelf
 * @param {Float64Array} fineTotal
 * @param {(fn: import('./data.mjs').PageFunction, id: number) => boolean} isWanted
 * @returns {Map<number, { self: number, total: number }>} by line
 */
export function lineTimes(facts, fineSelf, fineTotal, isWanted) {
  const { functions, functionOf, fineNodes, finePlaces, places } = facts.view;
  const isOf = Uint8Array.from(functions, (each, id) => Number(isWanted(each, id)));
  const { lineRepeated } = facts;
  /** @type {Map<number, { self: number, total: number }>} */
  const lines = new Map();
  for (let fine = 1; fine < fineTotal.length; fine++) {
    if (fineTotal[fine] === 0 || isOf[functionOf[fineNodes[fine]]] === 0) continue;
    const [line] = places[finePlaces[fine]];
    if (line === 0) continue;
    const sum = lines.get(line) ?? { self: 0, total: 0 };
    sum.self += fineSelf[fine];
    if (lineRepeated[fine] === 0) sum.total += fineTotal[fine];
    lines.set(line, sum);
  }
  return lines;
}
