'use strict';

/**
 * What the core's benchmarks say, beside the targets: one row a figure, read from Google Benchmark's JSON. Needs no
 * package of npm.
 */

const os = require('node:os');

/**
 * @typedef {{ name: string, run_type: string, aggregate_name?: string, real_time: number, cpu_time: number,
 *   time_unit: string } & Record<string, unknown>} Row one of `benchmarks` in the JSON
 * @typedef {{ area: string, what: string, target: string, figure: string, isMet: boolean | null }} Figure
 *   `isMet`: null where there is no target
 */

/** @type {Record<string, number>} */
const NS_A_UNIT = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** @param {number} ns */
function formatTime(ns) {
  if (ns < 1e3) return `${ns.toFixed(ns < 100 ? 1 : 0)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} µs` : `${(ns / 1e6).toFixed(1)} ms`;
}

/** @param {number} perSecond */
const formatRate = (perSecond) => `${(perSecond / 1e6).toFixed(perSecond < 1e7 ? 2 : 0)} M/s`;
/** @param {number} megabytes a second */
const formatSpeed = (megabytes) => `${Math.round(megabytes)} MB/s`;
/** @param {number} count */
const formatCount = (count) => String(count);

/** The values of a benchmark's runs, sorted: of a time, in ns, or of a counter. */
class Runs {
  /** @param {Row[]} rows @param {string} name */
  constructor(rows, name) {
    this.rows = rows.filter((row) => row.run_type === 'iteration' && row.name.split('/iterations:')[0] === name);
  }

  /** @param {'real_time' | 'cpu_time'} clock */
  times(clock) {
    return this.rows.map((row) => row[clock] * NS_A_UNIT[row.time_unit]).sort((a, b) => a - b);
  }

  /** @param {string} counter */
  counters(counter) {
    const values = this.rows.map((row) => Number(row[counter]));
    return values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  }
}

/** @param {number[]} sorted */
const median = (sorted) => sorted[sorted.length >> 1];
/** @param {number[]} sorted */
const worst = (sorted) => sorted[sorted.length - 1];

/** Of a benchmark with one figure. @param {string} name */
const cpuTime = (name) => (/** @type {Row[]} */ rows) => median(new Runs(rows, name).times('cpu_time'));
/** @param {string} name @param {string} counter */
const counterOf = (name, counter) => (/** @type {Row[]} */ rows) => median(new Runs(rows, name).counters(counter));
/** @param {string} name */
const timeAnItem = (name) => (/** @type {Row[]} */ rows) => 1e9 / counterOf(name, 'items_per_second')(rows);

/** @param {number} threads @param {number} busy @param {(sorted: number[]) => number} pick @param {string} [counter] */
function shutdown(threads, busy, pick, counter) {
  return (/** @type {Row[]} */ rows) => {
    const runs = new Runs(rows, `BM_WholeShutdown/threads:${threads}/busy:${busy}`);
    return pick(counter === undefined ? runs.times('real_time') : runs.counters(counter));
  };
}

const MS = 1e6;
/**
 * `most`: the figure is to be at most this; `least`: at least.
 * @type {{ area: string, what: string, of: (rows: Row[]) => number, most?: number, least?: number,
 *   format: (value: number) => string }[]}
 */
const FIGURES = [
  { area: 'registration', what: 'a thread, the only one', of: timeAnItem('Register/1'), most: 1e3, format: formatTime },
  { area: 'registration', what: 'beside 64', of: timeAnItem('Register/64'), most: 1e3, format: formatTime },
  { area: 'registration', what: 'beside 4,096', of: timeAnItem('Register/4096'), most: 1e3, format: formatTime },
  {
    ...{
      area: 'registration',
      what: 'in slots that the drain has prepared',
      of: timeAnItem('RegisterInPreparedSlots'),
    },
    ...{ most: 1e3, format: formatTime },
  },
  {
    ...{ area: 'registration', what: 'in memory that has not been touched', of: timeAnItem('RegisterInAFreshRegion') },
    ...{ most: 1e3, format: formatTime },
  },
  { area: 'fast path', what: 'of the handler', of: cpuTime('HandlerFastPath'), most: 10, format: formatTime },
  {
    ...{ area: 'fast path', what: 'of a stale signal', of: cpuTime('HandlerFastPathOfAStaleSignal') },
    ...{ most: 10, format: formatTime },
  },
  {
    area: 'fast path',
    what: 'a thread finds its own slot',
    of: cpuTime('FindOwnSlot/1'),
    most: 10,
    format: formatTime,
  },
  ...[4, 1024, 65536].map((capacity) => ({
    ...{ area: 'queue', what: `operations between two cores, capacity ${capacity}` },
    ...{ of: counterOf(`QueueBetweenTwoThreads<${capacity}>/real_time`, 'operations') },
    ...{ least: 100e6, format: formatRate },
  })),
  {
    ...{ area: 'drain', what: 'events at 1.1 million/s' },
    ...{ of: counterOf('EventsAtARate/per_second:1100000/ring_scale:4', 'events_per_s (target 1M)') },
    ...{ least: 1e6, format: formatRate },
  },
  {
    ...{ area: 'drain', what: 'events dropped meanwhile' },
    ...{ of: counterOf('EventsAtARate/per_second:1100000/ring_scale:4', 'dropped (target 0)') },
    ...{ most: 0, format: formatCount },
  },
  {
    ...{ area: 'drain', what: 'to memory' },
    ...{ of: counterOf('ToMemory/ring_scale:4/producers:1', 'MB_per_s (target 500)') },
    ...{ least: 500, format: formatSpeed },
  },
  {
    ...{ area: 'drain', what: 'to disk' },
    ...{ of: counterOf('ToDisk/ring_scale:4/producers:1', 'MB_per_s (target 500)') },
    ...{ least: 500, format: formatSpeed },
  },
  { area: 'shutdown', what: 'signal handler', of: cpuTime('BM_SignalHandler'), most: 1e3, format: formatTime },
  ...[
    { pick: median, which: 'median' },
    { pick: worst, which: 'worst' },
  ].flatMap(({ pick, which }) => [
    {
      ...{ area: 'shutdown', what: `stop() of 64 busy threads, with fsync, ${which}`, of: shutdown(64, 64, pick) },
      ...{ most: 50 * MS, format: formatTime },
    },
    {
      ...{ area: 'shutdown', what: `from the request on, without fsync, ${which}` },
      ...{ of: (/** @type {Row[]} */ rows) => shutdown(64, 64, pick, 'without_sync_ms')(rows) * MS },
      ...{ most: 20 * MS, format: formatTime },
    },
    {
      ...{ area: 'shutdown', what: `of that, until the first phase, ${which}` },
      ...{ of: (/** @type {Row[]} */ rows) => shutdown(64, 64, pick, 'wait_us')(rows) * 1e3, format: formatTime },
    },
  ]),
  {
    ...{ area: 'shutdown', what: 'threads stop accepting, all 64, worst' },
    ...{ of: (/** @type {Row[]} */ rows) => shutdown(64, 64, worst, 'stop_accepting_us')(rows) * 1e3 },
    ...{ most: 64 * 10e3, format: formatTime },
  },
  {
    ...{ area: 'shutdown', what: '1,000 threads, 4 of them busy, worst' },
    ...{ of: shutdown(1000, 4, worst), most: 100 * MS, format: formatTime },
  },
  {
    ...{ area: 'flush', what: 'lanes of all 64 threads, worst' },
    ...{ of: (/** @type {Row[]} */ rows) => shutdown(64, 64, worst, 'flush_lanes_us')(rows) * 1e3 },
    ...{ most: 64 * MS, format: formatTime },
  },
  {
    ...{ area: 'fsync', what: 'of the log, beside 64 busy threads, worst' },
    ...{ of: (/** @type {Row[]} */ rows) => shutdown(64, 64, worst, 'sync_us')(rows) * 1e3 },
    ...{ most: 50 * MS, format: formatTime },
  },
  { area: 'blocks', what: 'start and stop, native', of: cpuTime('BM_BlockPair'), most: 20, format: formatTime },
  { area: 'blocks', what: 'two readings of the clock alone', of: cpuTime('BM_TwoReadings'), format: formatTime },
];

/** @param {Row[]} rows of all programs @returns {Figure[]} */
function figuresOf(rows) {
  return FIGURES.map(({ area, what, of, most, least, format }) => {
    const value = of(rows);
    if (value === undefined || Number.isNaN(value)) throw new Error(`no benchmark gives the figure: ${area}, ${what}`);
    const target = most !== undefined ? `≤ ${format(most)}` : least !== undefined ? `≥ ${format(least)}` : '';
    const isMet = most !== undefined ? value <= most : least !== undefined ? value >= least : null;
    return { area, what, target, figure: format(value), isMet };
  });
}

/** @param {Figure[]} figures @returns {string} a table for people */
function tableOf(figures) {
  const width = Math.max(...figures.map(({ area, what }) => area.length + what.length + 2));
  return figures
    .map(({ area, what, target, figure, isMet }) => {
      const verdict = isMet === null ? '' : isMet ? 'met' : 'MISSED';
      return `${`${area}: ${what}`.padEnd(width)}  ${target.padStart(12)}  ${figure.padStart(12)}  ${verdict}`.trimEnd();
    })
    .join('\n');
}

/** @returns {string} the machine by CPU model, number of CPUs and kernel */
function machine() {
  return `${os.cpus()[0].model.trim()}, ${os.cpus().length} CPUs, Linux ${os.release().split('-')[0]}`;
}

/** @param {Figure[]} figures @returns {string} the table in Markdown */
function markdownOf(figures) {
  const rows = figures.map(({ area, what, target, figure, isMet }) => {
    return `| ${area} | ${what} | ${target} | ${figure}${isMet === false ? ' (missed)' : ''} |`;
  });
  return [`On ${machine()}.`, '', '| | what | target | figure |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

module.exports = { figuresOf, markdownOf, tableOf };
