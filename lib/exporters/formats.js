'use strict';

const { errors } = require('../base/errors');

/**
 * The file formats, in one table: extensions (the longest that fits wins; each but those that are compressed anyway also with
 * `.gz` behind it), whether a file holds one thread, the view that it is in unless
 * another is asked for, and what opens it.
 *
 * @typedef {'cpuprofile' | 'pprof' | 'collapsed' | 'speedscope' | 'firefox' | 'trace' | 'flamegraph' | 'text' | 'markdown' | 'log'} FormatName
 * @typedef {{ extensions: string[], isPerThread: boolean, view: 'program' | 'full', hint: string }} Format
 */

/** @type {Record<FormatName, Format>} */
const FORMATS = {
  cpuprofile: {
    extensions: ['.cpuprofile'],
    isPerThread: true,
    view: 'program',
    hint: 'open in VS Code, or Chrome DevTools > Performance > Load profile',
  },
  pprof: {
    extensions: ['.pb.gz', '.pprof', '.pb'],
    isPerThread: false,
    view: 'full',
    hint: 'go tool pprof, Pyroscope, Grafana, speedscope.app',
  },
  collapsed: {
    extensions: ['.collapsed', '.folded'],
    isPerThread: false,
    view: 'program',
    hint: 'open in any flame graph tool that reads collapsed stacks',
  },
  speedscope: {
    extensions: ['.speedscope.json', '.speedscope'],
    isPerThread: false,
    view: 'full',
    hint: 'open in speedscope.app',
  },
  firefox: {
    extensions: ['.profile.json'],
    isPerThread: false,
    view: 'full',
    hint: 'open in profiler.firefox.com',
  },
  trace: {
    extensions: ['.trace.json'],
    isPerThread: false,
    view: 'program',
    hint: 'open in ui.perfetto.dev, or Chrome DevTools > Performance > Load profile',
  },
  flamegraph: { extensions: ['.html'], isPerThread: false, view: 'program', hint: 'open in a browser' },
  text: { extensions: ['.txt'], isPerThread: false, view: 'program', hint: 'read it' },
  markdown: { extensions: ['.md'], isPerThread: false, view: 'program', hint: 'read it' },
  log: { extensions: ['.spprof'], isPerThread: false, view: 'full', hint: 'spprof report, spprof convert' },
};

/** Those that are compressed without being asked, and one that must be copied as it is. */
const PACKED = ['.pb.gz', '.pprof', '.spprof'];

const FORMAT_NAMES = /** @type {FormatName[]} */ (Object.keys(FORMATS));

/**
 * The end of a file's name that is its format's, with `.gz` when it has that; `''` when it has none.
 * @param {string} file
 */
function extensionOf(file) {
  const lower = file.toLowerCase();
  const bare = lower.endsWith('.gz') ? lower.slice(0, -3) : lower;
  const all = FORMAT_NAMES.flatMap((name) => FORMATS[name].extensions);
  const ends = [
    ...all.filter((extension) => lower.endsWith(extension)),
    ...all
      .filter((extension) => bare !== lower && !PACKED.includes(extension) && bare.endsWith(extension))
      .map((extension) => `${extension}.gz`),
  ];
  return ends.sort((a, b) => b.length - a.length)[0] ?? '';
}

/** Whether a file is compressed, by its name. @param {string} file */
function isCompressed(file) {
  return /\.(gz|pprof)$/i.test(file);
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
 * @throws {Error} `ERR_SPPROF_OPTION_RANGE`
 */
function formatByName(name, label) {
  if (Object.hasOwn(FORMATS, name)) return /** @type {FormatName} */ (name);
  const { nearest } = require('../base/nearest');
  const allowed = `one of ${FORMAT_NAMES.join(', ')}`;
  throw errors.optionRange(label, name, allowed, nearest(name, FORMAT_NAMES));
}

/**
 * The format that a file's name means.
 * @param {string} file
 * @returns {FormatName}
 * @throws {Error} `ERR_SPPROF_UNKNOWN_FORMAT`
 */
function formatOfFile(file) {
  const extension = extensionOf(file);
  const bare = extension.endsWith('.gz') && !PACKED.includes(extension) ? extension.slice(0, -3) : extension;
  const name = FORMAT_NAMES.find((each) => FORMATS[each].extensions.includes(bare));
  if (name !== undefined) return name;
  throw errors.unknownFormat(file, extensionsText());
}

module.exports = { FORMATS, FORMAT_NAMES, extensionOf, formatByName, formatOfFile, isCompressed };
