'use strict';

/** Lines of files and how often each has run, whoever has counted. */

const path = require('node:path');

/** By file, relative to the root; then by line. @typedef {Map<string, Map<number, number>>} Lines */
/** @typedef {{ folder: string, lines: number, covered: number[] }} Row `covered`: for each way of counting */

/** @param {Lines} lines @param {string} file @param {number} line @param {number} count */
function add(lines, file, line, count) {
  const own = lines.get(file) ?? new Map();
  own.set(line, (own.get(line) ?? 0) + count);
  lines.set(file, own);
}

/** @param {string} text of lcov @param {string} root @returns {Lines} of files below it */
function readLcov(text, root) {
  /** @type {Lines} */
  const lines = new Map();
  let file = '';
  for (const row of text.split('\n')) {
    if (row.startsWith('SF:')) file = path.relative(root, row.slice(3));
    if (!row.startsWith('DA:') || file.startsWith('..')) continue;
    const [line, count] = row.slice(3).split(',').map(Number);
    add(lines, file, line, count);
  }
  return lines;
}

/**
 * @param {{ [file: string]: { statementMap: Record<string, { start: { line: number } }>, s: Record<string, number> } }} map of istanbul
 * @param {string} root
 * @returns {Lines} of files below it
 */
function readIstanbul(map, root) {
  /** @type {Lines} */
  const lines = new Map();
  for (const [name, { statementMap, s }] of Object.entries(map)) {
    const file = path.relative(root, name);
    if (file.startsWith('..')) continue;
    for (const [id, { start }] of Object.entries(statementMap)) add(lines, file, start.line, s[id]);
  }
  return lines;
}

/** @param {Lines[]} all @returns {Lines} */
function merge(all) {
  /** @type {Lines} */
  const merged = new Map();
  for (const each of all) {
    for (const [file, lines] of each) for (const [line, count] of lines) add(merged, file, line, count);
  }
  return merged;
}

/** Numbers as people write them: `3, 7-9`. @param {number[]} numbers in order */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** @param {Lines} lines @returns {{ file: string, lines: number[] }[]} what has not run */
function uncovered(lines) {
  return [...lines]
    .map(([file, own]) => ({ file, lines: [...own].filter(([, count]) => count === 0).map(([line]) => line) }))
    .filter((each) => each.lines.length > 0)
    .map((each) => ({ ...each, lines: each.lines.sort((a, b) => a - b) }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** @param {Lines[]} ways the last one: all lines that there are @returns {Row[]} one a folder, and one for all */
function rowsOf(ways) {
  const all = ways[ways.length - 1];
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const [file, own] of all) {
    for (const folder of [path.dirname(file), 'all']) {
      const row = rows.get(folder) ?? { folder, lines: 0, covered: ways.map(() => 0) };
      row.lines += own.size;
      for (const [i, way] of ways.entries()) {
        row.covered[i] += [...own.keys()].filter((line) => (way.get(file)?.get(line) ?? 0) > 0).length;
      }
      rows.set(folder, row);
    }
  }
  const order = (/** @type {Row} */ { folder }) => (folder === 'all' ? '~' : folder);
  return [...rows.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

module.exports = { readLcov, readIstanbul, merge, ranges, uncovered, rowsOf };
