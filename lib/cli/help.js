'use strict';

const { OPTIONS } = require('../options');
const { FORMATS, FORMAT_NAMES } = require('../exporters/formats');
const { FLAGS } = require('./flags');

const USAGE = `Usage:
  spprof [record] [options] [--] <command> [args...]   record a program: spprof node app.js
  spprof report <file.spprof>                          its hottest functions
  spprof view <file.spprof>                            its flame graph, in the browser
  spprof convert <file.spprof> -o <file>               write another format
  spprof recover <folder>                              finish a recording whose process and recorder died
`;

const TOPICS = /** @type {Record<string, string>} */ ({
  report: 'Usage: spprof report <file.spprof>\n\nPrints the functions with the most self time.\n',
  view: `Usage: spprof view [--no-open] <file.spprof>
       spprof view <file.spprof> -o <file.html>

Opens the recording's flame graph in the browser. A server on 127.0.0.1 hands out that one page, under an address that
cannot be guessed, until Ctrl-C. With -o it writes the page, which opens without a server and without a network.
--no-open prints the address and starts no browser. From another machine: forward the same port (ssh -L), or use -o.

Examples:
  spprof view app.spprof
  spprof view --no-open app.spprof
  spprof view app.spprof -o app.html
`,
  convert: `Usage: spprof convert <file.spprof> -o <file> [-f <format>]

Writes a recording in another format; -o may repeat. Formats: ${FORMAT_NAMES.join(', ')}.
`,
  recover: `Usage: spprof recover [--dump] <folder>

Moves what a dead process left in its region into the log beside it. The folder is that of one process, or the one
given with --dir, which holds them.
--dump prints what registry and lanes hold instead, and changes nothing; the process may still run.
`,
});

/** @param {import('./flags').Flag} flag */
function flagText({ long, short, operand }) {
  return `  ${short === undefined ? '   ' : `-${short},`} --${long}${operand === undefined ? '' : ` <${operand}>`}`;
}

/** @param {import('./flags').Flag} flag */
function detail({ long, option }) {
  if (long === 'output') return ' (default spprof.%t.%p.cpuprofile)';
  if (long === 'format') return `: ${FORMAT_NAMES.join(', ')}`;
  if (option === undefined || OPTIONS[option].type === 'boolean') return '';
  const { choices, default: value } = OPTIONS[option];
  const list = choices === undefined ? '' : `: ${choices.join(', ')}`;
  return `${list}${value === null ? '' : ` (default ${value})`}`;
}

/**
 * @param {string | null} topic a verb, or null for all
 * @returns {string}
 */
function helpText(topic) {
  if (topic !== null) return TOPICS[topic];
  const width = Math.max(...FLAGS.map((flag) => flagText(flag).length)) + 2;
  const lines = FLAGS.map((flag) => `${flagText(flag).padEnd(width)}${flag.help}${detail(flag)}`);
  const variables = Object.values(OPTIONS).map(({ env }) => env);
  const formats = FORMAT_NAMES.map((name) => `${name} (${FORMATS[name].extensions.join(', ')})`);
  return `${USAGE}
Options of record (before the command; all after it is the program's):
${lines.join('\n')}

Formats: ${formats.join(', ')}.
Environment: ${variables.join(', ')}.
The exit status is the program's own (128 + n when a signal ended it), 0 after Ctrl-C, 2 when nothing was started.
`;
}

module.exports = { helpText };
