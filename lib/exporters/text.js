'use strict';

const { countPlaced } = require('../recording/model');
const { formatBytes, formatCount, formatNs, formatPercent, plural } = require('../base/units');
const { placer } = require('../recording/frames');
const { shortNames } = require('../recording/native-names');
const { processLines, processesText } = require('./process-text');
const { hasProcesses, processesOf, threadNamer } = require('../recording/recorded-processes');
const { columnUnit, columnValue, countText, measureOf } = require('../recording/measure');

/**
 * The report for people: where the time went, the functions with the most self time, what was lost; how the engine worked, if asked.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../index').FunctionSummary} FunctionSummary
 *
 * @typedef {object} Report
 * @property {Recording} recording in the view that is shown
 * @property {FunctionSummary[]} functions in the order of the table
 * @property {number} ns of all samples
 * @property {import('../index').Category[]} categories
 * @property {number} limit rows of the table
 * @property {string} [folder] paths below it are shown relative to it
 * @property {'self' | 'total'} [sort]
 * @property {boolean} [hasEngine] with how the engine worked
 */

/** Widest function name in the table; longer ones lose their middle. */
const NAME_WIDTH = 44;

/** @param {string} text @param {number} width */
function shorten(text, width) {
  if (text.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** Shortens names to the table's width; those that would look alike stay whole. @param {string[]} names */
function distinctly(names) {
  /** @type {Map<string, Set<string>>} */
  const wholes = new Map();
  for (const name of names) {
    const text = shorten(name, NAME_WIDTH);
    wholes.set(text, (wholes.get(text) ?? new Set()).add(name));
  }
  return (/** @type {string} */ name) => {
    const text = shorten(name, NAME_WIDTH);
    return wholes.get(text)?.size === 1 ? text : name;
  };
}

/**
 * @param {Recording} recording
 * @param {FunctionSummary[]} functions
 * @param {number} cpuNs
 * @param {{ limit: number, folder?: string, sort?: 'self' | 'total' }} settings
 */
function tableRows(recording, functions, cpuNs, { limit, folder, sort = 'self' }) {
  const nameOfThread = threadNamer(recording);
  const names = new Map(
    recording.threads.map((thread) => [thread.id, nameOfThread(thread, thread.kind === 'main' ? 'main' : thread.name)]),
  );
  const measure = measureOf(recording);
  const hasSeveral = new Set(recording.sampleThreads).size > 1;
  const rows = functions.filter((row) => row.selfNs !== 0 || sort === 'total').slice(0, limit);
  const short = shortNames(rows.filter(({ kind }) => kind === 'native').map(({ functionName }) => functionName));
  const nameOf = (/** @type {FunctionSummary} */ row) =>
    row.kind === 'native' ? short(row.functionName) : row.functionName;
  const shortened = distinctly(rows.map(nameOf));
  const whereOf = placer(recording.frames);
  return rows.map((row) => {
    const place = /** @type {import('../../binding').NativeFrame} */ (/** @type {unknown} */ (row));
    const [first, ...others] = row.threadIds;
    // A function that was never on top of a stack is no thread's own.
    const thread = others.length === 0 ? (names.get(first) ?? '') : `${row.threadIds.length} threads`;
    return {
      self: formatPercent(row.selfNs, cpuNs),
      ms: columnValue(row.selfNs, measure),
      total: formatPercent(row.totalNs, cpuNs),
      name: shortened(nameOf(row)),
      where: [whereOf(place, folder), hasSeveral && thread !== '' ? `[${thread}]` : ''].filter(Boolean).join('  '),
    };
  });
}

/**
 * @param {Recording} recording
 * @param {FunctionSummary[]} functions
 * @param {number} cpuNs
 * @param {{ limit: number, folder?: string, sort?: 'self' | 'total' }} settings
 */
function tableLines(recording, functions, cpuNs, settings) {
  const rows = tableRows(recording, functions, cpuNs, settings);
  const width = Math.max(8, ...rows.map((row) => row.name.length));
  const head = `${'self'.padStart(8)}${`self ${columnUnit(measureOf(recording))}`.padStart(12)}${'total'.padStart(9)}  ${'function'.padEnd(width)}  where`;
  const body = rows.map(({ self, ms, total, name, where }) =>
    `${self.padStart(8)}${ms.padStart(12)}${total.padStart(9)}  ${name.padEnd(width)}  ${where}`.trimEnd(),
  );
  return [head, ...body];
}

/** Signals that no sample was to come of: nothing is lost by them. */
const NO_LOSS = ['off_cpu', 'not_due'];

/** @param {Record<string, number>} dropped @returns {[reason: string, count: number][]} */
function lossesOf(dropped) {
  return Object.entries(dropped).filter(([reason, count]) => count > 0 && !NO_LOSS.includes(reason));
}

/** @param {Record<string, number>} dropped */
function droppedText(dropped) {
  const reasons = lossesOf(dropped);
  if (reasons.length === 0) return '0 dropped';
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const parts = reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`);
  return `${formatCount(total)} dropped (${parts.join(', ')})`;
}

/** @param {Recording} recording */
function threadText(recording) {
  const { threads, stats } = recording;
  const parts = /** @type {const} */ (['main', 'worker', 'native'])
    .map((kind) => ({ kind, count: threads.filter((thread) => thread.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${kind}`);
  const refused = stats.threadsRefused > 0 ? `, ${formatCount(stats.threadsRefused)} refused` : '';
  return `${formatCount(threads.length)} seen (${parts.join(', ')})${refused}`;
}

/** Threads listed with what they lost. */
const LOSSES = 8;

/**
 * What single threads lost, those that lost most first.
 * @param {Recording} recording
 */
function lossLines({ threads }) {
  const rows = threads
    .map((thread) => ({ ...thread, lost: lossesOf(thread.dropped).reduce((sum, [, count]) => sum + count, 0) }))
    .filter(({ lost, overruns }) => lost > 0 || overruns > 0)
    .sort((a, b) => b.lost - a.lost || b.overruns - a.overruns);
  const lines = rows.slice(0, LOSSES).map(({ name, tid, dropped, overruns, sampleCount }) => {
    const parts = [plural(sampleCount, 'sample'), droppedText(dropped), plural(overruns, 'overrun')];
    return `         ${name || 'thread'} (${tid}): ${parts.join(', ')}`;
  });
  if (rows.length > LOSSES) lines.push(`         and ${formatCount(rows.length - LOSSES)} more`);
  return lines;
}

/** @param {import('../../binding').NativeShutdown | null} shutdown */
function endText(shutdown) {
  if (shutdown === null) return 'cut off; complete up to the last sample';
  const phases = shutdown.phases.map(
    ({ name, tookNs, cutShort }) => `${name.replaceAll('_', ' ')} ${formatNs(tookNs)}${cutShort ? ' (cut short)' : ''}`,
  );
  return `${shutdown.reason} in ${formatNs(shutdown.totalNs)} (${[`wait ${formatNs(shutdown.waitNs)}`, ...phases].join(', ')})`;
}

/** What was not ended in order; '': all was. @param {Recording} recording */
function cutOffText(recording) {
  const all = processesOf(recording);
  const count = all.filter(({ stats }) => stats.shutdown === null).length;
  if (count === 0) return '';
  return all.length === 1
    ? endText(null)
    : `${count} of ${all.length} processes cut off; complete up to the last sample`;
}

/** How much of JavaScript has its lines; none where it has no samples. @param {Recording} recording */
function placeLines(recording) {
  const { samples, placed } = countPlaced(recording);
  if (samples === 0) return [];
  return [`lines    known of ${formatPercent(placed, samples)} of ${plural(samples, 'sample')} in JavaScript`];
}

/** @param {import('../../binding').NativeStats} stats */
function rateLine({ rate, intervalNs, clock, pausedNs }) {
  const paused = pausedNs > 0 ? `, paused for ${formatNs(pausedNs)}` : '';
  const achieved = formatCount(rate.achieved);
  return `rate     ${achieved} samples a second of CPU time, one every ${formatNs(intervalNs)} asked for (${clock} clock)${paused}`;
}

/** @param {import('../../binding').NativeStats} stats */
function costLine({ overhead, handlerNs: { p50, p99, max } }) {
  const { handlerPercent, deliveryPercent, drainPercent } = overhead;
  const handler = `handler p50 ${formatNs(p50)}, p99 ${formatNs(p99)}, max ${formatNs(max)}`;
  const drain = drainPercent > 0 ? `, and ${drainPercent.toFixed(2)} % in a thread of its own` : '';
  return `cost     ${handlerPercent.toFixed(2)} % of the CPU time, and about ${deliveryPercent.toFixed(2)} % for the signals${drain} (${handler})`;
}

/** Shares of stacks, percent, from which on a person must know that they are not whole. */
const MANY_INCOMPLETE = 5;
const MANY_TRUNCATED = 1;
/** Share of JavaScript, percent, from which on its lines are taken for known. */
const ALL_PLACED = 95;

/** How the engine worked, for those who want to know. @param {Recording} recording */
function engineLines(recording) {
  const { stats } = recording;
  if (recording.importedFrom !== undefined) return [`threads  ${threadText(recording)}`];
  const { written } = stats;
  return [
    `samples  ${formatCount(written)} written, ${droppedText(stats.dropped)}, ` +
      `${formatCount(stats.incomplete)} incomplete (${formatPercent(stats.incomplete, written)}), ` +
      `${formatCount(stats.truncated)} truncated (${formatPercent(stats.truncated, written)})` +
      (stats.stacksLost > 0 ? `, ${formatCount(stats.stacksLost)} without their stack` : ''),
    rateLine(stats),
    `threads  ${threadText(recording)}`,
    ...lossLines(recording),
    ...placeLines(recording),
    costLine(stats),
    `log      ${formatBytes(stats.bytes)}`,
    `ended    ${hasProcesses(recording) ? cutOffText(recording) || 'all processes in order' : endText(stats.shutdown)}`,
  ];
}

/**
 * What a person must know before trusting the figures: what is missing, and what was degraded. None where all is well.
 * @param {Recording} recording
 */
function healthLines(recording) {
  const { stats } = recording;
  const notes = stats.warnings.map((warning) => `note     ${warning}`);
  if (recording.importedFrom !== undefined) return notes;
  const lines = [];
  if (lossesOf(stats.dropped).length > 0)
    lines.push(`lost     ${droppedText(stats.dropped)} of ${plural(stats.written, 'sample')}`);
  if (stats.threadsRefused > 0)
    lines.push(`lost     ${plural(stats.threadsRefused, 'thread')} beyond those that there is room for`);
  const share = (/** @type {number} */ count) => (stats.written > 0 ? (100 * count) / stats.written : 0);
  if (share(stats.incomplete) >= MANY_INCOMPLETE) {
    lines.push(`stacks   ${formatPercent(stats.incomplete, stats.written)} do not reach the thread's first function`);
  }
  if (share(stats.truncated) >= MANY_TRUNCATED) {
    lines.push(`stacks   ${formatPercent(stats.truncated, stats.written)} are deeper than maxFrames and were cut`);
  }
  const { samples, placed } = countPlaced(recording);
  if (samples > 0 && (100 * placed) / samples < ALL_PLACED) lines.push(...placeLines(recording));
  const cutOff = cutOffText(recording);
  if (cutOff !== '') lines.push(`ended    ${cutOff}`);
  return [...lines, ...notes];
}

/** Parts of a category in its first line. */
const PARTS = 3;

/**
 * Where the time went, in one line; the figures with a percent sign add up to 100.
 * @param {import('../index').Category[]} categories
 */
function categoryLine(categories) {
  if (categories.length === 0) return 'no time was sampled';
  const texts = categories.map(({ name, percent, parts }) => {
    const named = parts.slice(0, PARTS).map((part) => `${part.name} ${part.percent.toFixed(1)}`);
    const more = parts.length > PARTS ? [...named, '…'] : named;
    return `${name} ${percent.toFixed(1)} %${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
  });
  return texts.join(', ');
}

/** How much there is, and where it comes from. @param {Report} report */
function headLine({ recording, ns }) {
  const { durationNs, timer, intervalNs, nodeVersion, sampleTimes } = recording;
  const isOwn = recording.importedFrom === undefined;
  const source = isOwn
    ? `${timer}, ${formatNs(intervalNs)}; Node ${nodeVersion}`
    : `read from ${recording.importedFrom}`;
  return (
    `${isOwn ? `${processesText(recording)}: ` : ''}${countText(sampleTimes.length, ns, measureOf(recording))} ` +
    `${durationNs > 0 || isOwn ? `in ${formatNs(durationNs)} ` : ''}(${source})`
  );
}

/** @param {Report} report */
function tableOf({ recording, functions, ns, ...settings }) {
  return functions.length === 0 ? [] : tableLines(recording, functions, ns, settings);
}

/**
 * What the command prints after a recording, in parts.
 * @param {Report} report
 */
function summaryParts(report) {
  const { recording, categories, hasEngine } = report;
  return {
    ...{ categories: categoryLine(categories), table: tableOf(report), head: headLine(report) },
    processes: processLines(recording, report.ns),
    health: healthLines(recording),
    engine: hasEngine ? engineLines(recording) : [],
  };
}

/** What can be done about it, a finding in two lines. @param {import('../index').Advice[]} advice */
function adviceLines(advice) {
  return advice.flatMap(({ rule, found, advice: what }) => [`advice   ${found}`, `         ${what} (${rule})`]);
}

/**
 * @param {Report} report
 * @param {import('../index').Advice[]} advice
 * @returns {string[]} lines
 */
function reportLines(report, advice) {
  const { categories, table, head, processes, health, engine } = summaryParts(report);
  return [categories, head, ...processes, ...table, ...health, ...engine, ...adviceLines(advice)];
}

module.exports = { categoryLine, engineLines, headLine, healthLines, reportLines, summaryParts, tableRows };
