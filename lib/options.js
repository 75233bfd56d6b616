'use strict';

const { errors } = require('./errors');
const { nearest } = require('./nearest');
const { parseMicroseconds } = require('./units');

/**
 * The options of a recording, in one table. `start()`, the command line, the `SPPROF_*` environment variables and
 * `--help` all read it; nothing is configured twice.
 *
 * @typedef {object} Option
 * @property {'time' | 'seconds' | 'choice' | 'boolean' | 'integer' | 'path'} type
 * @property {string | number | boolean | null} default
 * @property {string} [flag]      long name on the command line, if it is there; a boolean's flag turns it off
 * @property {string} [short]     short name on the command line
 * @property {string} [operand]   the operand's name in `--help`
 * @property {string} env         environment variable
 * @property {string} help        one line
 * @property {number} [min]
 * @property {number} [max]
 * @property {boolean} [isPowerOfTwo]
 * @property {string[]} [choices] what this version has
 * @property {string[]} [planned] what the design names and this version does not have
 *
 * @typedef {'intervalUs' | 'mode' | 'timer' | 'threads' | 'native' | 'maxFrames' | 'maxThreads' | 'durationS'
 *   | 'indexRingBytes' | 'detailRingBytes' | 'maxMemory' | 'handleSignals' | 'dir' | 'sourceMaps'} OptionName
 * @typedef {{ intervalUs: 'auto' | number, mode: 'cpu' | 'wall', timer: 'auto' | 'tick' | 'hires',
 *   threads: 'all' | 'js', native: boolean, maxFrames: number, maxThreads: number,
 *   durationS: number | null, indexRingBytes: number, detailRingBytes: number, maxMemory: number, handleSignals: boolean,
 *   dir: string | null,
 *   sourceMaps: boolean }} Options
 */

/** @type {Record<OptionName, Option>} */
const OPTIONS = {
  intervalUs: {
    type: 'time',
    default: 'auto',
    min: 20,
    max: 60_000_000,
    flag: 'interval',
    short: 'i',
    operand: 'time',
    env: 'SPPROF_INTERVAL',
    help: 'CPU time between samples: auto, 250us, 10ms, or a number of µs',
  },
  mode: {
    type: 'choice',
    default: 'cpu',
    choices: ['cpu'],
    planned: ['wall'],
    flag: 'mode',
    short: 'm',
    operand: 'mode',
    env: 'SPPROF_MODE',
    help: 'what is sampled',
  },
  timer: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'tick', 'hires'],
    planned: ['perf', 'itimer'],
    flag: 'timer',
    operand: 'engine',
    env: 'SPPROF_TIMER',
    help: 'what sets off a sample; auto: tick, or hires below 4 ms',
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
};

const OPTION_NAMES = /** @type {OptionName[]} */ (Object.keys(OPTIONS));

/** The interval asked of the kernel's tick when none is given, and the tick's own length where HZ = 250. */
const AUTO_INTERVAL_US = 1000;
const KERNEL_TICK_US = 4000;

/**
 * What is allowed, in words.
 * @param {Option} option
 */
function allowedText(option) {
  switch (option.type) {
    case 'time':
      return `'auto' or a time from ${option.min} µs to ${Number(option.max) / 1e6} s`;
    case 'seconds':
      return `a time from ${option.min} s to ${option.max} s`;
    case 'choice':
      return `one of ${/** @type {string[]} */ (option.choices).map((c) => `'${c}'`).join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `${option.isPowerOfTwo ? 'a power of two' : 'an integer'} from ${option.min} to ${option.max}`;
    case 'path':
      return 'the path of a folder';
  }
}

/**
 * @param {Option} option
 * @param {string} label how the user calls it
 * @param {unknown} value
 */
function checkChoice(option, label, value) {
  const choices = /** @type {string[]} */ (option.choices);
  if (typeof value !== 'string') throw errors.optionType(label, value, allowedText(option));
  if (choices.includes(value)) return value;
  if (option.planned?.includes(value)) {
    throw errors.unavailable(`${label} ${value}`, choices.join(', '));
  }
  throw errors.optionRange(label, value, allowedText(option), nearest(value, choices));
}

/**
 * @param {Option} option
 * @param {string} label
 * @param {unknown} value
 */
function checkNumber(option, label, value) {
  if (typeof value !== 'number') throw errors.optionType(label, value, allowedText(option));
  const isIntegral = option.type !== 'integer' || Number.isInteger(value);
  const isPower = !option.isPowerOfTwo || Number.isInteger(Math.log2(value));
  const isInRange = value >= Number(option.min) && value <= Number(option.max);
  if (!isIntegral || !isInRange || !isPower) throw errors.optionRange(label, value, allowedText(option));
  return value;
}

/**
 * Checks one value as JavaScript gives it.
 * @param {Option} option
 * @param {string} label
 * @param {unknown} value
 * @returns {string | number | boolean}
 * @throws {TypeError | RangeError | Error} `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`, `ERR_SPPROF_UNAVAILABLE`
 */
function checkValue(option, label, value) {
  switch (option.type) {
    case 'time':
      return value === 'auto' ? value : checkNumber(option, label, value);
    case 'integer':
    case 'seconds':
      return checkNumber(option, label, value);
    case 'choice':
      return checkChoice(option, label, value);
    case 'boolean':
      if (typeof value !== 'boolean') throw errors.optionType(label, value, allowedText(option));
      return value;
    case 'path':
      if (typeof value !== 'string' || value === '') {
        throw errors.optionType(label, value, allowedText(option));
      }
      return value;
  }
}

/**
 * Reads and checks one value as text (command line, environment).
 * @param {OptionName} name
 * @param {string} label how the user calls it, e.g. `--interval` or `SPPROF_INTERVAL`
 * @param {string} text
 * @returns {string | number | boolean}
 * @throws as `checkValue`
 */
function parseOption(name, label, text) {
  const option = OPTIONS[name];
  /** @type {unknown} */
  let value = text;
  if (option.type === 'time' && text !== 'auto') {
    value = parseMicroseconds(text);
  } else if (option.type === 'seconds') {
    const us = parseMicroseconds(/[a-zµμ]\s*$/i.test(text) ? text : `${text}s`);
    value = us === null ? null : us / 1e6;
  } else if (option.type === 'integer') {
    value = /^\d+$/.test(text) ? Number(text) : null;
  } else if (option.type === 'boolean') {
    value = { 1: true, true: true, 0: false, false: false }[text] ?? null;
  }
  if (value === null) throw errors.optionRange(label, text, allowedText(option));
  return checkValue(option, label, value);
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
  return /** @type {Options} */ (options);
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
 * Resolves `'auto'` for the native side: the kernel's tick is asked for 1 ms and gives what it can; a shorter interval
 * than the tick, asked for explicitly, needs timers of its own.
 * @param {Options} options
 * @param {string | null} directory for region and log, already made
 * @returns {Omit<import('../binding').NativeOptions, 'startedAt'>}
 */
function toNativeOptions(options, directory) {
  const { intervalUs, timer } = options;
  const isTickEnough = intervalUs === 'auto' || intervalUs >= KERNEL_TICK_US;
  return {
    intervalNs: Math.round((intervalUs === 'auto' ? AUTO_INTERVAL_US : intervalUs) * 1000),
    mode: options.mode,
    timer: timer === 'auto' ? (isTickEnough ? 'tick' : 'hires') : timer,
    threads: options.threads,
    native: options.native,
    maxFrames: options.maxFrames,
    maxThreads: options.maxThreads,
    indexRingBytes: options.indexRingBytes,
    detailRingBytes: options.detailRingBytes,
    durationNs: Math.round((options.durationS ?? 0) * 1e9),
    handleSignals: options.handleSignals,
    directory,
  };
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
};
