'use strict';

const { parseArgs } = require('node:util');
const { errors } = require('../base/errors');
const { OPTIONS, checkOptions, optionsFromEnvironment, parseOption } = require('../options/options');
const { ALL_FLAGS, FLAGS } = require('./flags');

/**
 * Reads the command line.
 *
 * @typedef {import('../options/options').Options} Options
 * @typedef {import('../exporters/formats').FormatName} FormatName
 * @typedef {{ outputs: string[], format: FormatName | null }} OutputRequest
 * @typedef {OutputRequest & { verb: 'record', options: Options, quiet: boolean, json: boolean | string, verbose: boolean, onPort: string | null,
 *   command: string[] }} RecordRequest
 * @typedef {import('../profile/read-profile').Reading & { verbose: boolean }} Reading
 * @typedef {{ top: number, sort: 'self' | 'total', process: string | null, thread: string | null, tree: boolean, threshold: number, engine: boolean, json: boolean }} Showing
 * @typedef {Showing & { verb: 'report', file: string, reading: Reading }} ReportRequest
 * @typedef {Showing & OutputRequest & { verb: 'diff', file: string, second: string, failOver: number | null, reading: Reading }} DiffRequest
 * @typedef {{ verb: 'view', file: string, outputs: string[], opens: boolean, reading: Reading }} ViewRequest
 * @typedef {OutputRequest & { verb: 'convert', file: string, reading: Reading }} ConvertRequest
 * @typedef {{ verb: 'recover', folder: string, dump: boolean }} RecoverRequest
 * @typedef {RecordRequest | ReportRequest | ConvertRequest | RecoverRequest | DiffRequest | ViewRequest | { verb: 'help', topic: string | null } |
 *   { verb: 'version' } | { verb: 'completion' } | { verb: 'build' } | { verb: 'env', json: boolean }} Request
 */

const VERBS = ['record', 'report', 'convert', 'recover', 'view', 'diff', 'env', 'build'];

/** Flags that verbs other than `record` take. */
const VERB_FLAGS = /** @type {Record<string, string[]>} */ ({
  report: [
    'top',
    'sort',
    'process',
    'thread',
    'tree',
    'threshold',
    'view',
    'engine',
    'json',
    'no-source-maps',
    'verbose',
    'max-memory',
    'help',
  ],
  diff: [
    'output',
    'format',
    'top',
    'sort',
    'fail-over',
    'view',
    'json',
    'no-source-maps',
    'verbose',
    'max-memory',
    'help',
  ],
  view: ['output', 'no-open', 'view', 'no-source-maps', 'no-sources', 'verbose', 'max-memory', 'help'],
  convert: ['output', 'format', 'view', 'no-source-maps', 'no-sources', 'verbose', 'max-memory', 'help'],
  recover: ['dump', 'help'],
  env: ['json', 'help'],
  build: ['help'],
});

const PARSE_CONFIG = Object.fromEntries(
  ALL_FLAGS.map(({ long, short, operand }) => {
    const type = /** @type {'string' | 'boolean'} */ (operand === undefined ? 'boolean' : 'string');
    return [long, short === undefined ? { type } : { type, short }];
  }),
);

/**
 * The options before the first operand, and the rest untouched.
 * @param {string[]} args
 * @param {string[]} allowed long names
 */
function splitArguments(args, allowed) {
  const { tokens } = parseArgs({ args, options: PARSE_CONFIG, strict: false, allowPositionals: true, tokens: true });
  /** @type {Map<string, string[]>} */
  const given = new Map();
  for (const token of tokens) {
    if (token.kind === 'positional') return { given, rest: args.slice(token.index) };
    if (token.kind === 'option-terminator') return { given, rest: args.slice(token.index + 1) };
    checkFlag(token, allowed);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  return { given, rest: [] };
}

/**
 * @param {{ name: string, rawName: string, value?: string }} token
 * @param {string[]} allowed
 */
function checkFlag({ name, rawName, value }, allowed) {
  const flag = ALL_FLAGS.find(({ long }) => long === name);
  if (flag === undefined || !allowed.includes(name)) {
    const { nearest } = require('../base/nearest');
    const known = ALL_FLAGS.filter(({ long }) => allowed.includes(long)).map((f) => `--${f.long}`);
    throw errors.unknownOption(rawName, nearest(`--${name}`, known), [...known, '(see spprof --help)']);
  }
  const takesValue = flag.operand !== undefined || (flag.optional !== undefined && allowed.includes('on-port'));
  if (!takesValue && value !== undefined) throw errors.usage(`${rawName} takes no value`);
  const isMissing = flag.operand !== undefined && (value === undefined || value === '');
  if (isMissing) throw errors.usage(`${rawName} needs a value: ${rawName} <${flag.operand}>`);
}

/**
 * @param {Map<string, string[]>} given
 * @returns {OutputRequest}
 */
function outputsOf(given) {
  const name = given.get('format')?.at(-1);
  const { formatByName } = require('../exporters/formats');
  return { outputs: given.get('output') ?? [], format: name === undefined ? null : formatByName(name, '--format') };
}

/** @param {string} text @returns {number} µs */
function intervalOfRate(text) {
  const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  const intervalUs = 1e6 / rate;
  const { min, max } = OPTIONS.intervalUs;
  if (!(intervalUs >= Number(min) && intervalUs <= Number(max))) {
    const allowed = `a number of samples per second from ${1e6 / Number(max)} to ${1e6 / Number(min)}`;
    throw errors.optionRange('--rate', text, allowed);
  }
  return intervalUs;
}

/**
 * @param {Map<string, string[]>} given
 * @param {Record<string, string | undefined>} env
 * @returns {Options}
 */
function optionsOf(given, env) {
  /** @type {Record<string, unknown>} */
  const options = optionsFromEnvironment(env);
  for (const { long, option, operand } of FLAGS) {
    const text = given.get(long)?.at(-1);
    if (option === undefined || text === undefined) continue;
    options[option] = operand === undefined ? false : parseOption(option, `--${long}`, text);
  }
  const rate = given.get('rate')?.at(-1);
  if (rate !== undefined) {
    if (given.has('interval')) throw errors.usage('--rate and --interval say the same thing; give one of them');
    options.intervalUs = intervalOfRate(rate);
  }
  return checkOptions(options);
}

/**
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {Request}
 */
function parseRecord(args, env) {
  const { given, rest } = splitArguments(
    args,
    FLAGS.map(({ long }) => long),
  );
  if (given.has('help')) return { verb: 'help', topic: null };
  if (given.has('version')) return { verb: 'version' };
  const options = optionsOf(given, env);
  const outputs = outputsOf(given);
  const jsonFile = given.get('json')?.at(-1) ?? '';
  if (given.has('quiet') && given.has('json') && jsonFile === '') {
    throw errors.usage('--quiet prints no summary and --json prints one; give one of them, or --json=<file>');
  }
  if (rest.length === 0) {
    throw errors.usage('no command to record; try: spprof node app.js (or spprof --help)');
  }
  const onPort = given.get('on-port')?.at(-1) ?? null;
  if (onPort !== null && process.platform !== 'linux') throw errors.unavailable('--on-port on this system', 'Linux');
  const json = jsonFile === '' ? given.has('json') : jsonFile;
  const told = { quiet: given.has('quiet'), json, verbose: given.has('verbose') };
  return { verb: 'record', ...outputs, options, ...told, onPort, command: rest };
}

/**
 * @param {Map<string, string[]>} given
 * @returns {Showing}
 */
function showingOf(given) {
  const number = (/** @type {string} */ name, /** @type {number} */ standard, /** @type {number} */ most) => {
    const text = given.get(name)?.at(-1);
    if (text === undefined) return standard;
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= 0 && value <= most)) throw errors.optionRange(`--${name}`, text, `a number from 0 to ${most}`);
    return value;
  };
  const sort = given.get('sort')?.at(-1) ?? 'self';
  if (sort !== 'self' && sort !== 'total') throw errors.optionRange('--sort', sort, 'one of self, total');
  return {
    ...{ top: number('top', 30, 1e6), threshold: number('threshold', 1, 100), sort },
    process: given.get('process')?.at(-1) ?? null,
    ...{ thread: given.get('thread')?.at(-1) ?? null, tree: given.has('tree'), json: given.has('json') },
    engine: given.has('engine'),
  };
}

/** `5%` or `5` → 0.05; null: not given. @param {Map<string, string[]>} given */
function failOverOf(given) {
  const text = given.get('fail-over')?.at(-1);
  if (text === undefined) return null;
  const match = /^(\d+(?:\.\d+)?) ?%?$/.exec(text);
  if (match === null) throw errors.optionRange('--fail-over', text, 'a percentage, e.g. 5%');
  return Number(match[1]) / 100;
}

/**
 * @param {string} file
 * @param {{ given: Map<string, string[]>, rest: string[] }} second what follows the first file
 * @param {Map<string, string[]>} given so far
 * @param {Record<string, string | undefined>} env
 * @returns {Request}
 */
function parseDiff(file, second, given, env) {
  const [other, ...more] = second.rest;
  if (other === undefined) throw errors.usage('diff needs two files: spprof diff <before> <after>');
  const third = splitArguments(more, VERB_FLAGS.diff);
  if (third.rest.length > 0) throw errors.usage(`diff takes two files, not also ${JSON.stringify(third.rest[0])}`);
  const all = new Map([...given, ...third.given]);
  const outputs = [...(given.get('output') ?? []), ...(third.given.get('output') ?? [])];
  const { format } = outputsOf(all);
  const { sourceMaps, sources, maxMemory, view } = optionsOf(all, env);
  return {
    verb: 'diff',
    file,
    second: other,
    ...{ outputs, format, failOver: failOverOf(all) },
    reading: { sourceMaps, sources, maxMemory, view, verbose: all.has('verbose') },
    ...showingOf(all),
  };
}

/**
 * Verbs that take one file or folder; their options may stand on either side of it.
 * @param {string} verb
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {Request}
 */
function parseFileVerb(verb, args, env) {
  const what = verb === 'recover' ? 'folder' : 'file';
  const first = splitArguments(args, VERB_FLAGS[verb]);
  const second = splitArguments(first.rest.slice(1), VERB_FLAGS[verb]);
  const given = new Map([...first.given, ...second.given]);
  given.set('output', [...(first.given.get('output') ?? []), ...(second.given.get('output') ?? [])]);
  if (given.has('help')) return { verb: 'help', topic: verb };
  const [operand] = first.rest;
  if (operand === undefined) throw errors.usage(`${verb} needs a ${what}: spprof ${verb} <${what}>`);
  if (verb === 'diff') return parseDiff(operand, second, given, env);
  if (second.rest.length > 0) {
    throw errors.usage(`${verb} takes one ${what}, not also ${JSON.stringify(second.rest[0])}`);
  }
  if (verb === 'recover') return { verb, folder: operand, dump: given.has('dump') };
  const { sourceMaps, sources, maxMemory, view } = optionsOf(given, env);
  const reading = { sourceMaps, sources, maxMemory, view, verbose: given.has('verbose') };
  if (verb === 'report') return { verb, file: operand, reading, ...showingOf(given) };
  if (verb === 'view') {
    return { verb, file: operand, reading, outputs: given.get('output') ?? [], opens: !given.has('no-open') };
  }
  const outputs = outputsOf(given);
  if (outputs.outputs.length === 0) {
    throw errors.usage('convert needs an output: spprof convert <file> -o <file>');
  }
  return { verb: 'convert', file: operand, reading, ...outputs };
}

/**
 * Verbs that take no file.
 * @param {'env' | 'build'} verb
 * @param {string[]} args
 * @returns {Request}
 */
function parseBareVerb(verb, args) {
  const { given, rest } = splitArguments(args, VERB_FLAGS[verb]);
  if (given.has('help')) return { verb: 'help', topic: verb };
  if (rest.length > 0) throw errors.usage(`${verb} takes no operand: ${JSON.stringify(rest[0])}`);
  return verb === 'env' ? { verb, json: given.has('json') } : { verb };
}

/**
 * @param {string[]} args without node and the script
 * @param {Record<string, string | undefined>} env
 * @returns {Request}
 * @throws {Error} with a code `ERR_SPPROF_…` and a message of one line
 */
function parseArguments(args, env) {
  const [verb, ...rest] = args;
  if (verb === undefined || verb === 'help') return { verb: 'help', topic: null };
  if (verb === 'completion') {
    if (rest[0] !== 'bash') throw errors.usage('completion is for bash, and zsh through it: spprof completion bash');
    return { verb };
  }
  if (verb === 'env' || verb === 'build') return parseBareVerb(verb, rest);
  if (Object.hasOwn(VERB_FLAGS, verb)) return parseFileVerb(verb, rest, env);
  return parseRecord(verb === 'record' ? rest : args, env);
}

module.exports = { parseArguments, VERBS, VERB_FLAGS };
