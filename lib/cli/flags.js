'use strict';

const { OPTIONS, OPTION_NAMES } = require('../options/options');

/**
 * The flags of the command line: those of the options table, and those that only the command line has.
 *
 * @typedef {object} Flag
 * @property {string} long
 * @property {string} [short]
 * @property {string} [operand] its operand's name; a flag without one takes none
 * @property {string} [optional] an operand that may be missing: `--long=<operand>` only
 * @property {string} help
 * @property {import('../options/options').OptionName} [option] the option it sets
 */

/** @type {Flag[]} */
const OWN_FLAGS = [
  { long: 'output', short: 'o', operand: 'file', help: 'output file, repeatable; %p pid, %t time, %n program name' },
  { long: 'format', short: 'f', operand: 'name', help: 'format, when the extension is not to choose it' },
  { long: 'rate', short: 'r', operand: 'Hz', help: 'samples per second of CPU time, instead of --interval' },
  { long: 'on-port', operand: 'command', help: 'run it when the program listens ($PORT), then end the program' },
  { long: 'quiet', short: 'q', help: 'print no summary' },
  { long: 'json', optional: 'file', help: 'the summary as JSON, on stderr; --json=<file>: into a file of its own' },
  { long: 'verbose', help: 'say also how the recorder worked, and which source maps cannot be used' },
  { long: 'help', short: 'h', help: 'print this help' },
  { long: 'version', short: 'v', help: 'print the version' },
];

/** @type {Flag[]} */
const OPTION_FLAGS = OPTION_NAMES.flatMap((name) => {
  const { flag, short, operand, help } = OPTIONS[name];
  return flag === undefined ? [] : [{ long: flag, short, operand, help, option: name }];
});

const [OUTPUT, FORMAT, RATE, ...LAST] = OWN_FLAGS;
const [INTERVAL, ...OTHERS] = OPTION_FLAGS;

/** The flags of `record`, in the order of `--help`. */
const FLAGS = [OUTPUT, FORMAT, INTERVAL, RATE, ...OTHERS, ...LAST];

/** Those of other verbs alone. @type {Flag[]} */
const VERB_ONLY_FLAGS = [
  { long: 'dump', help: 'print what registry and lanes hold, and change nothing' },
  { long: 'top', short: 'n', operand: 'count', help: 'rows of the table (default 30)' },
  { long: 'sort', operand: 'key', help: 'self or total (default self)' },
  { long: 'process', operand: 'id', help: 'one process of several, by its process id or its name' },
  { long: 'thread', operand: 'id', help: "one thread, by the report's number or its name" },
  { long: 'tree', help: 'the call tree instead of the table' },
  { long: 'threshold', operand: 'percent', help: 'leave out what has less of the time (default 1)' },
  { long: 'fail-over', operand: 'percent', help: 'exit status 1 when something got slower by more, beyond noise' },
  { long: 'engine', help: 'also how the recorder worked: rates, threads, cost, how it ended' },
  { long: 'no-open', help: 'print the address, and open no browser' },
];

const ALL_FLAGS = [...FLAGS, ...VERB_ONLY_FLAGS];

module.exports = { FLAGS, ALL_FLAGS };
