'use strict';

const { tableLines } = require('../base/text-table');
const { formatNs } = require('../base/units');

/**
 * Results of blocks as CSV (RFC 4180), as JSON, and as a table for people. Pure.
 *
 * @typedef {import('../types/blocks').BlockResult} BlockResult
 * @typedef {import('../types/blocks').BlockProblems} BlockProblems
 */

const NUMBERS = /** @type {const} */ (['hitCount', 'totalNs', 'minNs', 'maxNs', 'meanNs', 'p50Ns', 'p99Ns']);
const OF_THREADS = /** @type {const} */ (['thread', 'tid', 'hasEnded']);

/** @param {unknown} value */
function csvField(value) {
  const text = typeof value === 'number' ? String(Math.round(value)) : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Times in whole nanoseconds. @param {BlockResult[]} rows @param {boolean} perThread */
function toCsv(rows, perThread) {
  const columns = ['track', 'block', ...(perThread ? OF_THREADS : []), ...NUMBERS, 'file', 'line'];
  const lines = rows.map((row) => columns.map((name) => csvField(/** @type {any} */ (row)[name])).join(','));
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

/** @param {string} profiler @param {BlockResult[]} blocks @param {BlockProblems} problems */
function toJson(profiler, blocks, problems) {
  return `${JSON.stringify({ profiler, blocks, problems }, null, 2)}\n`;
}

/** @param {BlockProblems} problems */
function* problemLines({ unbalancedStops, open, lost }) {
  if (unbalancedStops > 0) yield `stops without a start: ${unbalancedStops}`;
  if (open > 0) yield `started and not stopped: ${open}`;
  if (lost > 0) yield `not timed, nested too deeply or without memory: ${lost}`;
}

/** Most time first. @param {BlockResult[]} rows @param {BlockProblems} problems */
function toText(rows, problems) {
  const perThread = rows.some(({ thread }) => thread !== undefined);
  const head = ['block', ...(perThread ? ['thread'] : []), 'hits', 'total', 'mean', 'min', 'p50', 'p99', 'max'];
  const sorted = [...rows].sort((a, b) => b.totalNs - a.totalNs);
  const cells = sorted.map((row) => [
    `${row.track}/${row.block}`,
    ...(perThread ? [`${row.thread || row.tid || '(ended)'}${row.hasEnded && row.tid ? ' (ended)' : ''}`] : []),
    String(row.hitCount),
    ...[row.totalNs, row.meanNs, row.minNs, row.p50Ns, row.p99Ns, row.maxNs].map(formatNs),
  ]);
  const lines = tableLines([head, ...cells], perThread ? 2 : 1);
  return `${[...lines, ...problemLines(problems)].join('\n')}\n`;
}

module.exports = { toCsv, toJson, toText };
