'use strict';

/** The lines that no test can reach (unreachable.js), compared with what has run. */

/** @typedef {import('./lines').Lines} Lines */
/**
 * `from`: the first line's text, which is in the file once; `to`: the last one's, the next that is like it; without it:
 * one line. `why`: no test can make it run.
 * @typedef {{ file: string, from: string, to?: string, why: string }} Exception
 */

/** @param {Exception} exception @param {string[]} text lines of its file @returns {number[] | null} null: it is not there */
function placeOf({ from, to }, text) {
  const starts = text.flatMap((line, i) => (line.trim() === from ? [i] : []));
  if (starts.length !== 1) return null;
  const end = to === undefined ? starts[0] : text.findIndex((line, i) => i > starts[0] && line.trim() === to);
  return end < 0 ? null : Array.from({ length: end - starts[0] + 1 }, (_, i) => starts[0] + i + 1);
}

/**
 * @param {Lines} lines
 * @param {Exception[]} exceptions
 * @param {string[]} folders whose every line must run, or be an exception
 * @param {(file: string) => string} read
 * @returns {string[]} what is wrong
 */
function compare(lines, exceptions, folders, read) {
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, Set<number>>} */
  const excepted = new Map();
  for (const exception of exceptions) {
    const { file, from } = exception;
    const place = placeOf(exception, read(file).split('\n'));
    const own = lines.get(file);
    if (place === null) problems.push(`${file}: an exception is not there, or more than once: ${from}`);
    else if (own !== undefined && !place.some((line) => own.get(line) === 0))
      problems.push(`${file}:${place[0]}: an exception is covered now: ${from}`);
    const set = excepted.get(file) ?? new Set();
    for (const line of place ?? []) set.add(line);
    excepted.set(file, set);
  }
  for (const [file, own] of lines) {
    if (!folders.some((folder) => file.startsWith(`${folder}/`))) continue;
    const left = [...own].filter(([line, count]) => count === 0 && !excepted.get(file)?.has(line));
    for (const [line] of left.sort(([a], [b]) => a - b)) {
      problems.push(`${file}:${line}: is not covered, and no exception: ${read(file).split('\n')[line - 1]?.trim()}`);
    }
  }
  return problems;
}

module.exports = { compare };
