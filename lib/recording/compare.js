'use strict';

const { comparable } = require('./comparable');
const { summarizeFunctions, totalWeight } = require('./model');

/**
 * Two lists of functions side by side. Times are compared as shares, since two runs never take the same time.
 *
 * @typedef {import('../index').FunctionSummary} FunctionSummary
 * @typedef {import('../index').FunctionDifference} FunctionDifference
 */

/** The same function in two runs: its line may have moved, if it is the only one of its name there. @param {FunctionSummary} row */
function nameKey({ functionName, url, module }) {
  return [functionName, url, module].join('\0');
}

/** @param {FunctionSummary} row */
function exactKey(row) {
  return `${nameKey(row)}\0${row.line}\0${row.column}`;
}

/**
 * Pairs each function of `before` with its like in `after`.
 * @param {FunctionSummary[]} before
 * @param {FunctionSummary[]} after
 * @returns {[FunctionSummary | null, FunctionSummary | null][]}
 */
function pairFunctions(before, after) {
  /** @type {[FunctionSummary | null, FunctionSummary | null][]} */
  const pairs = [];
  /** @param {FunctionSummary[]} left @param {FunctionSummary[]} right @param {(row: FunctionSummary) => string} keyOf */
  const pair = (left, right, keyOf) => {
    /** @type {Map<string, FunctionSummary[]>} */
    const byKey = new Map();
    for (const row of right) byKey.set(keyOf(row), [...(byKey.get(keyOf(row)) ?? []), row]);
    const lefts = new Map();
    for (const row of left) lefts.set(keyOf(row), (lefts.get(keyOf(row)) ?? 0) + 1);
    const paired = new Set();
    const alone = left.filter((row) => {
      const likes = byKey.get(keyOf(row)) ?? [];
      if (likes.length !== 1 || lefts.get(keyOf(row)) !== 1) return true;
      pairs.push([row, likes[0]]);
      paired.add(likes[0]);
      return false;
    });
    return { left: alone, right: right.filter((row) => !paired.has(row)) };
  };
  const rest = pair(before, after, exactKey);
  const alone = pair(rest.left, rest.right, nameKey);
  for (const row of alone.left) pairs.push([row, null]);
  for (const row of alone.right) pairs.push([null, row]);
  return pairs;
}

/**
 * The largest change of self time first.
 * @param {import('../../binding').NativeRecording} earlier
 * @param {import('../../binding').NativeRecording} later
 * @returns {FunctionDifference[]}
 * @throws {RangeError} `ERR_SPPROF_NOT_ALIKE`
 */
function compareFunctions(earlier, later) {
  const [before, after] = comparable(earlier, later, { byLine: true }).map((recording) => ({
    functions: summarizeFunctions(recording),
    all: totalWeight(recording),
  }));
  /** @param {number} ns @param {number} ofNs */
  const share = (ns, ofNs) => (ofNs > 0 ? ns / ofNs : 0);
  /** @param {FunctionSummary | null} row @param {number} allNs */
  const side = (row, allNs) => ({
    ...{ selfNs: row?.selfNs ?? 0, totalNs: row?.totalNs ?? 0 },
    ...{ selfShare: share(row?.selfNs ?? 0, allNs), totalShare: share(row?.totalNs ?? 0, allNs) },
  });
  return pairFunctions(before.functions, after.functions)
    .map(([left, right]) => {
      const { functionName, url, line, column, kind, module } = /** @type {FunctionSummary} */ (right ?? left);
      const was = side(left, before.all);
      const is = side(right, after.all);
      const selfChange = is.selfShare - was.selfShare;
      const totalChange = is.totalShare - was.totalShare;
      return { functionName, url, line, column, kind, module, before: was, after: is, selfChange, totalChange };
    })
    .sort(
      (a, b) => Math.abs(b.selfChange) - Math.abs(a.selfChange) || Math.abs(b.totalChange) - Math.abs(a.totalChange),
    );
}

module.exports = { compareFunctions };
