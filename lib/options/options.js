'use strict';

const { errors } = require('../base/errors');
const { nearest } = require('../base/nearest');
const { allowedText, checkValue, parseValue } = require('./option-values');

/**
 * The options of a recording, in one table. `start()`, the command line, the `SPPROF_*` environment variables and
 * `--help` all read it; nothing is configured twice.
 *
 * @typedef {import('./option-values').Option} Option
 *
 * @typedef {'intervalUs' | 'mode' | 'timer' | 'threads' | 'native' | 'maxFrames' | 'maxThreads' | 'durationS'
 *   | 'indexRingBytes' | 'detailRingBytes' | 'maxMemory' | 'handleSignals' | 'dir' | 'sourceMaps' | 'sources' | 'view' | 'maxOverhead' | 'signal'} OptionName
 * @typedef {{ intervalUs: 'auto' | number, mode: 'cpu' | 'wall', timer: 'auto' | 'tick' | 'hires' | 'perf' | 'itimer',
 *   threads: 'all' | 'js', native: boolean, maxFrames: number, maxThreads: number,
 *   durationS: number | null, indexRingBytes: number, detailRingBytes: number, maxMemory: number, handleSignals: boolean,
 *   dir: string | null, maxOverhead: number, signal: string,
 *   sourceMaps: boolean, sources: boolean, view: View | null }} Options
 * @typedef {'program' | 'full'} View
 */

/** @type {Record<OptionName, Option>} */
const OPTIONS = {
  intervalUs: {
    type: 'time',
    default: 'auto',
    min: 10,
    max: 10_000_000,
    flag: 'interval',
    short: 'i',
    operand: 'time',
    env: 'SPPROF_INTERVAL',
    help: 'CPU time between samples: auto, 250us, 10ms, or a number of µs',
  },
  mode: {
    type: 'choice',
    default: 'cpu',
    choices: ['cpu', 'wall'],
    flag: 'mode',
    short: 'm',
    operand: 'mode',
    env: 'SPPROF_MODE',
    help: 'what is sampled: CPU time, or wall time, with the waits of threads that sleep',
  },
  timer: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'tick', 'hires', 'perf', 'itimer'],
    flag: 'timer',
    operand: 'engine',
    env: 'SPPROF_TIMER',
    help: 'what sets off a sample; auto: the kernel’s tick, or perf for shorter intervals where it is permitted',
  },
  threads: {
    type: 'choice',
    default: 'all',
    choices: ['all', 'js'],
    flag: 'threads',
    short: 't',
    operand: 'which',
    env: 'SPPROF_THREADS',
    help: 'all threads, or those that run JavaScript',
  },
  native: {
    type: 'boolean',
    default: true,
    flag: 'no-native',
    env: 'SPPROF_NATIVE',
    help: 'JavaScript frames only',
  },
  maxFrames: {
    type: 'integer',
    default: 512,
    min: 1,
    max: 4096,
    flag: 'max-frames',
    operand: 'n',
    env: 'SPPROF_MAX_FRAMES',
    help: 'frames kept of a stack, leaf first',
  },
  maxThreads: {
    type: 'integer',
    default: 4096,
    min: 1,
    max: 65536,
    flag: 'max-threads',
    operand: 'n',
    env: 'SPPROF_MAX_THREADS',
    help: 'threads sampled at once',
  },
  indexRingBytes: {
    type: 'integer',
    default: 16 * 1024,
    min: 4096,
    max: 16 * 1024 * 1024,
    isPowerOfTwo: true,
    flag: 'index-ring',
    operand: 'bytes',
    env: 'SPPROF_INDEX_RING',
    help: 'size of a ring for samples, four a thread',
  },
  detailRingBytes: {
    type: 'integer',
    default: 64 * 1024,
    min: 4096,
    max: 16 * 1024 * 1024,
    isPowerOfTwo: true,
    flag: 'detail-ring',
    operand: 'bytes',
    env: 'SPPROF_DETAIL_RING',
    help: 'size of a ring for stacks and names, two a thread',
  },
  maxOverhead: {
    type: 'percent',
    default: 5,
    min: 0.1,
    max: 100,
    flag: 'max-overhead',
    operand: '%',
    env: 'SPPROF_MAX_OVERHEAD',
    help: 'percent of CPU time that samples may take before the interval is made longer',
  },
  signal: {
    type: 'signal',
    default: 'auto',
    flag: 'signal',
    operand: 'name',
    env: 'SPPROF_SIGNAL',
    help: 'the signal to take samples in; auto: one that nobody uses',
  },
  durationS: {
    type: 'seconds',
    default: null,
    min: 0.001,
    max: 30 * 24 * 3600,
    flag: 'duration',
    short: 'd',
    operand: 's',
    env: 'SPPROF_DURATION',
    help: 'stop recording after so many seconds; the program runs on',
  },
  maxMemory: {
    type: 'integer',
    default: 1024,
    min: 16,
    max: 1024 * 1024,
    flag: 'max-memory',
    operand: 'MB',
    env: 'SPPROF_MAX_MEMORY',
    help: 'memory for a decoded profile; of a longer one, samples of equal stacks are added up',
  },
  handleSignals: {
    type: 'boolean',
    default: false,
    env: 'SPPROF_HANDLE_SIGNALS',
    help: 'SIGINT and SIGTERM end the recording before they do what they would have done; the command always does',
  },
  dir: {
    type: 'path',
    default: null,
    flag: 'dir',
    operand: 'folder',
    env: 'SPPROF_DIR',
    help: 'keep region and log in this folder',
  },
  sourceMaps: {
    type: 'boolean',
    default: true,
    flag: 'no-source-maps',
    env: 'SPPROF_SOURCE_MAPS',
    help: 'positions of the generated code, where a source map is found too',
  },
  sources: {
    type: 'boolean',
    default: true,
    flag: 'no-sources',
    env: 'SPPROF_SOURCES',
    help: 'no text of the program’s sources in pages (.html)',
  },
  view: {
    type: 'choice',
    default: null,
    choices: ['program', 'full'],
    flag: 'view',
    operand: 'view',
    env: 'SPPROF_VIEW',
    help: 'the program as its author wrote it, or every frame; if not given, pprof and speedscope have every frame',
  },
};

const OPTION_NAMES = /** @type {OptionName[]} */ (Object.keys(OPTIONS));

/** The interval asked of the kernel's tick when none is given. */
const AUTO_INTERVAL_US = 1000;

/**
 * Reads and checks one value as text (command line, environment).
 * @param {OptionName} name
 * @param {string} label how the user calls it, e.g. `--interval` or `SPPROF_INTERVAL`
 * @param {string} text
 * @returns {string | number | boolean}
 * @throws as `checkValue`
 */
function parseOption(name, label, text) {
  return parseValue(OPTIONS[name], label, text);
}

/** All defaults. @returns {Options} */
function defaultOptions() {
  const entries = OPTION_NAMES.map((name) => [name, OPTIONS[name].default]);
  return /** @type {Options} */ (Object.fromEntries(entries));
}

/**
 * The options given to `start()`, checked, with the defaults filled in.
 * @param {unknown} given
 * @returns {Options}
 * @throws {TypeError | RangeError | Error} with `code`, `option`, `given`, `allowed`
 */
function checkOptions(given = {}) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw errors.optionType('options', given, 'an object');
  }
  const options = /** @type {Record<string, unknown>} */ (defaultOptions());
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(OPTIONS, key)) {
      throw errors.unknownOption(`'${key}'`, nearest(key, OPTION_NAMES), OPTION_NAMES);
    }
    if (value !== undefined) options[key] = checkValue(OPTIONS[/** @type {OptionName} */ (key)], key, value);
  }
  checkTimerSignal(/** @type {Options} */ (options));
  return /** @type {Options} */ (options);
}

/**
 * `setitimer` always sends SIGPROF; and where a real-time signal of a perf event cannot be queued, the kernel sends SIGIO
 * instead, which ends a process that does not expect it.
 * @param {Options} options
 */
function checkTimerSignal({ timer, signal }) {
  if (timer === 'itimer' && signal !== 'SIGPROF' && signal !== 'auto') {
    throw errors.optionRange('signal', signal, "'auto' or 'SIGPROF' with the timer itimer");
  }
  if (timer === 'perf' && signal.startsWith('SIGRTMIN')) {
    throw errors.optionRange('signal', signal, 'no real-time signal with the timer perf');
  }
}

/**
 * The options that the `SPPROF_*` variables give; other names beginning with SPPROF_ are left alone.
 * @param {Record<string, string | undefined>} env
 * @returns {Partial<Options>}
 * @throws as `parseOption`
 */
function optionsFromEnvironment(env) {
  /** @type {Record<string, unknown>} */
  const options = {};
  for (const name of OPTION_NAMES) {
    const text = env[OPTIONS[name].env];
    if (text !== undefined && text !== '') options[name] = parseOption(name, OPTIONS[name].env, text);
  }
  return options;
}

/**
 * The variables that make `optionsFromEnvironment` give these options back.
 * @param {Options} options
 * @returns {Record<string, string>}
 */
function optionsToEnvironment(options) {
  /** @type {Record<string, string>} */
  const env = {};
  for (const name of OPTION_NAMES) {
    if (options[name] !== null) env[OPTIONS[name].env] = String(options[name]);
  }
  return env;
}

/**
 * What the native side takes. Without an interval the kernel's tick is asked for 1 ms and gives what it can; whether it is
 * enough for one that is asked for is decided there.
 * @param {Options} options
 * @param {string | null} directory for region and log, already made
 * @returns {Omit<import('../../binding').NativeOptions, 'startedAt'>}
 */
function toNativeOptions(options, directory) {
  const { intervalUs, timer } = options;
  return {
    intervalNs: toIntervalNs(intervalUs),
    mode: options.mode,
    isTickEnough: intervalUs === 'auto',
    timer,
    threads: options.threads,
    native: options.native,
    maxFrames: options.maxFrames,
    maxThreads: options.maxThreads,
    indexRingBytes: options.indexRingBytes,
    detailRingBytes: options.detailRingBytes,
    durationNs: Math.round((options.durationS ?? 0) * 1e9),
    handleSignals: options.handleSignals,
    maxOverhead: options.maxOverhead,
    signal: options.signal,
    directory,
  };
}

/**
 * An interval that is given while the recording runs.
 * @param {unknown} intervalUs
 * @returns {number} nanoseconds
 * @throws {TypeError | RangeError} as `checkValue`
 */
function toIntervalNs(intervalUs) {
  const us = checkValue(OPTIONS.intervalUs, 'intervalUs', intervalUs);
  return Math.round((us === 'auto' ? AUTO_INTERVAL_US : Number(us)) * 1000);
}

module.exports = {
  OPTIONS,
  OPTION_NAMES,
  allowedText,
  parseOption,
  checkOptions,
  optionsFromEnvironment,
  optionsToEnvironment,
  toNativeOptions,
  toIntervalNs,
};
