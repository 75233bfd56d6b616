'use strict';

const { errors } = require('../errors');

/**
 * The file formats, in one table: extensions (the longest that fits wins), whether a file holds one thread, and what
 * opens it. Those without `hint` are named by the design and not in this version.
 *
 * @typedef {'cpuprofile' | 'collapsed' | 'text' | 'log'} FormatName
 * @typedef {{ extensions: string[], isPerThread: boolean, hint: string }} Format
 */

/** @type {Record<FormatName, Format>} */
const FORMATS = {
  cpuprofile: {
    extensions: ['.cpuprofile'],
    isPerThread: true,
    hint: 'open in VS Code, or Chrome DevTools > Performance > Load profile',
  },
  collapsed: {
    extensions: ['.collapsed', '.folded'],
    isPerThread: false,
    hint: 'open in any flame graph tool that reads collapsed stacks',
  },
  text: { extensions: ['.txt'], isPerThread: false, hint: 'read it' },
  log: { extensions: ['.spprof'], isPerThread: false, hint: 'spprof report, spprof convert' },
};

/** @type {Record<string, string[]>} */
const PLANNED = {
  pprof: ['.pb.gz', '.pprof', '.pb'],
  speedscope: ['.speedscope.json'],
  flamegraph: ['.html'],
};

const FORMAT_NAMES = /** @type {FormatName[]} */ (Object.keys(FORMATS));

/** @param {Record<string, string[]>} table @param {string} file */
function matchExtension(table, file) {
  const lower = file.toLowerCase();
  return Object.keys(table).find((name) => table[name].some((extension) => lower.endsWith(extension)));
}

/** All extensions, in words. */
function extensionsText() {
  return FORMAT_NAMES.flatMap((name) => FORMATS[name].extensions).join(', ');
}

/**
 * The format that a name given by the user means.
 * @param {string} name
 * @param {string} label how the user calls it
 * @returns {FormatName}
 * @throws {Error} `ERR_SPPROF_UNAVAILABLE`, `ERR_SPPROF_OPTION_RANGE`
 */
function formatByName(name, label) {
  if (Object.hasOwn(FORMATS, name)) return /** @type {FormatName} */ (name);
  if (Object.hasOwn(PLANNED, name)) throw errors.unavailable(`${label} ${name}`, FORMAT_NAMES.join(', '));
  const { nearest } = require('../nearest');
  const allowed = `one of ${FORMAT_NAMES.join(', ')}`;
  throw errors.optionRange(label, name, allowed, nearest(name, FORMAT_NAMES));
}

/**
 * The format that a file's name means.
 * @param {string} file
 * @returns {FormatName}
 * @throws {Error} `ERR_SPPROF_UNAVAILABLE`, `ERR_SPPROF_UNKNOWN_FORMAT`
 */
function formatOfFile(file) {
  const extensions = Object.fromEntries(FORMAT_NAMES.map((name) => [name, FORMATS[name].extensions]));
  const name = matchExtension(extensions, file);
  if (name !== undefined) return /** @type {FormatName} */ (name);
  const planned = matchExtension(PLANNED, file);
  if (planned !== undefined) throw errors.unavailable(`the format ${planned}`, FORMAT_NAMES.join(', '));
  throw errors.unknownFormat(file, extensionsText());
}

module.exports = { FORMATS, FORMAT_NAMES, formatByName, formatOfFile };
