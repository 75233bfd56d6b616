'use strict';

const { formatValue } = require('../recording/measure');
const { plural } = require('../base/units');
const { frameWhere } = require('../recording/frames');
const { shortNativeName } = require('../recording/native-names');
const { LEAST_SHARE } = require('../recording/regressions');
const { cell } = require('./markdown-cell');

/**
 * Whether something got slower, in words: for a terminal, and as a comment for a pull request.
 *
 * @typedef {import('../index').Comparison} Comparison
 * @typedef {{ folder?: string, measure: import('../recording/measure').Measure }} Settings
 */

/** Functions that are listed though they are not slower. */
const OTHERS = 5;

/** @param {number} change */
function percent(change) {
  return `${change < 0 ? '-' : '+'}${(100 * Math.abs(change)).toFixed(1)} %`;
}

/** @param {import('../index').TimeChange} change */
function intervalText({ interval }) {
  return `${percent(interval[0])} to ${percent(interval[1])}`;
}

/** @param {Comparison['functions'][number]} row @param {string} [folder] */
function namesOf(row, folder) {
  const frame = /** @type {import('../../binding').NativeFrame} */ (/** @type {unknown} */ (row));
  return {
    name: row.kind === 'native' ? shortNativeName(row.functionName) : row.functionName,
    where: frameWhere(frame, folder),
  };
}

/** @param {number} share */
const limitText = (share) => `${Number((100 * share).toFixed(3))} %`;

/** The answer, as a sentence. @param {Comparison} comparison */
function verdictOf({ limit, isSlower, whole, functions }) {
  if (!isSlower) return `nothing got slower by more than ${limitText(limit)}, beyond noise`;
  const count = functions.filter((row) => row.isSlower).length;
  const parts = [...(whole.isSlower ? ['the whole'] : []), ...(count > 0 ? [plural(count, 'function')] : [])];
  return `${parts.join(' and ')} got slower by more than ${limitText(limit)}, beyond noise`;
}

/** What was compared, and how sure it is. @param {Comparison} comparison @param {Settings} settings */
function scopeOf({ functions, falseAlarm }, { measure }) {
  return (
    `${measure.name} of the whole, and of ${plural(functions.length, 'function')} with at least ${limitText(LEAST_SHARE)} of it, for a program that does the same work ` +
    `in both; intervals are such that one in ${Math.round(1 / falseAlarm)} comparisons of a program whose runs differ by up to 1 % has a false alarm`
  );
}

/** @param {Comparison} comparison */
function shownOf({ functions }) {
  const slower = functions.filter((row) => row.isSlower);
  return [...slower, ...functions.filter((row) => !row.isSlower).slice(0, OTHERS)];
}

/**
 * @param {Comparison} comparison @param {Settings} settings
 * @returns {string[]} lines
 */
function comparisonLines(comparison, settings) {
  const { unit } = settings.measure;
  const line = (/** @type {import('../index').TimeChange} */ row, /** @type {string} */ name) =>
    `${row.isSlower ? 'slower ' : 'noise  '}  ${percent(row.change).padStart(9)}  (${intervalText(row)})  ${formatValue(row.beforeNs, unit)} before, ${formatValue(row.afterNs, unit)} after  ${name}`.trimEnd();
  const rows = shownOf(comparison).map((row) => {
    const { name, where } = namesOf(row, settings.folder);
    return line(row, `${name}  ${where}`);
  });
  return [
    `compared ${scopeOf(comparison, settings)}`,
    line(comparison.whole, '(the whole)'),
    ...rows,
    `result   ${verdictOf(comparison)}`,
  ];
}

/**
 * @param {Comparison} comparison @param {Settings} settings
 * @returns {string[]} lines
 */
function comparisonMarkdown(comparison, settings) {
  const { unit } = settings.measure;
  const line = (
    /** @type {import('../index').TimeChange} */ row,
    /** @type {string} */ name,
    /** @type {string} */ where,
  ) =>
    `| ${row.isSlower ? '**slower**' : ''} | ${percent(row.change)} | ${intervalText(row)} | ${formatValue(row.beforeNs, unit)} | ${formatValue(row.afterNs, unit)} | ${cell(name)} | ${cell(where)} |`;
  const rows = shownOf(comparison).map((row) => {
    const { name, where } = namesOf(row, settings.folder);
    return line(row, name, where);
  });
  const verdict = verdictOf(comparison);
  return [
    `### Profile: ${verdict}`,
    '',
    '| | change | interval | before | after | function | where |',
    '| --- | ---: | --- | ---: | ---: | --- | --- |',
    line(comparison.whole, '(the whole)', ''),
    ...rows,
    '',
    `Compared: ${scopeOf(comparison, settings)}.`,
  ];
}

module.exports = { comparisonLines, comparisonMarkdown };
