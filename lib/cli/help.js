'use strict';

const { OPTIONS } = require('../options/options');
const { FORMATS, FORMAT_NAMES } = require('../exporters/formats');
const { ALL_FLAGS, FLAGS } = require('./flags');

const USAGE = `Usage:
  spprof [record] [options] [--] <command> [args...]   record a program: spprof node app.js
  spprof report <file>                                 its hottest functions
  spprof view <file>                                   its flame graph in the browser
  spprof convert <file> -o <file>                      write another format
  spprof diff <before> <after>                         what has changed
  spprof recover <folder>                              finish a recording whose process and recorder died
  spprof env                                           what this machine and this Node.js allow, for a bug report
  spprof build                                         compile the native part, where no file that is brought along loads
  spprof completion bash                               completion for bash and zsh: source <(spprof completion bash)
`;

const FILES =
  'Files are logs (.spprof) and folders of spprof, and .cpuprofile, pprof, speedscope and collapsed stacks of any profiler, also compressed.';

/** @param {string} verb @param {string[]} names of its flags */
function verbFlags(verb, names) {
  const flags = names.map(
    (name) => /** @type {import('./flags').Flag} */ (ALL_FLAGS.find(({ long }) => long === name)),
  );
  const texts = flags.map((flag) =>
    flag.long === 'json' ? { ...flag, optional: undefined, help: `print the ${verb} as JSON` } : flag,
  );
  const width = Math.max(...texts.map((flag) => flagText(flag).length)) + 2;
  return texts.map((flag) => `${flagText(flag).padEnd(width)}${flag.help}`).join('\n');
}

const TOPICS = /** @type {Record<string, string>} */ ({
  report: `Usage: spprof report [options] <file>

Prints where the time went, by whose code it is, the functions with the most self time, and at most five findings that are worth a
change, each by a rule with its numbers (docs/advice.md). ${FILES}

${verbFlags('report', ['top', 'sort', 'process', 'thread', 'tree', 'threshold', 'view', 'engine', 'json', 'verbose'])}

Examples:
  spprof report spprof.20261120T120000.4242.cpuprofile
  spprof report --sort total -n 10 app.spprof
  spprof report --tree --threshold 5 --thread main app.pb.gz
  spprof report --json app.spprof | jq '.functions[0]'
`,
  view: `Usage: spprof view [--no-open] [-o <file.html>] <file>

Shows the flame graph in the browser, from a server that only this machine can reach, until Ctrl-C; or writes it. ${FILES}

${verbFlags('view', ['output', 'no-open', 'view'])}

Examples:
  spprof view app.spprof
  spprof view --no-open app.cpuprofile
  spprof view -o app.html app.pb.gz
`,
  diff: `Usage: spprof diff [options] <before> <after>

Compares two profiles by shares of their time, the largest change first; -o writes the differential flame graph. With --fail-over it also
compares CPU times, for programs that do the same work in both, and the exit status is 1 when the whole or a function uses more by so much,
beyond noise; docs/regressions.md says what that means. -f markdown prints a comment for a pull request. ${FILES}

${verbFlags('diff', ['output', 'format', 'top', 'sort', 'fail-over', 'view', 'json', 'verbose'])}

The exit status is 0; 1 with --fail-over when something got slower; 2 for wrong use or a file that cannot be read.

Examples:
  spprof diff before.spprof after.spprof
  spprof diff --fail-over 5% -f markdown before.spprof after.spprof > comment.md
  spprof diff -o change.html before.cpuprofile after.cpuprofile
`,
  convert: `Usage: spprof convert <file> -o <file> [-f <format>]

Writes a recording in another format; -o may repeat, .gz compresses. --view program leaves out the runtime's frames, --view full has every
frame. Formats: ${FORMAT_NAMES.join(', ')}. ${FILES}

Examples:
  spprof convert app.spprof -o app.pb.gz -o app.html
  spprof convert node.cpuprofile -o node.speedscope.json
`,
  recover: `Usage: spprof recover [--dump] <folder>

Moves what a dead process left in its region into the log beside it. The folder is that of one process, or the one
given with --dir, which holds them.
--dump prints what registry and lanes hold instead, and changes nothing; the process may still run.

Examples:
  spprof recover /var/tmp/spprof-Xq2vTa
  spprof recover --dump /var/tmp/recordings/4242
`,
  env: `Usage: spprof env [--json]

Prints what a bug report needs: versions, processor, kernel, libc, limits, and which engines record here (each is tried
for a tenth of a second). It reads no file of yours and no environment variable other than NODE_OPTIONS and SPPROF_*.

${verbFlags('env', ['json'])}
`,
  build: `Usage: spprof build

Compiles the native part into the installed package, with a C++20 compiler and cmake 3.18, without network access. It
is needed only where no file that is brought along loads; spprof then says so.
`,
});

/** @param {import('./flags').Flag} flag */
function flagText({ long, short, operand, optional }) {
  const value = optional === undefined ? '' : `[=<${optional}>]`;
  return `  ${short === undefined ? '   ' : `-${short},`} --${long}${operand === undefined ? value : ` <${operand}>`}`;
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
  const alone = FLAGS.filter(({ option }) => option === undefined).map(({ long }) => `--${long}`);
  const formats = FORMAT_NAMES.map((name) => `${name} (${FORMATS[name].extensions.join(', ')})`);
  return `${USAGE}
Options of record (before the command; all after it is the program's):
${lines.join('\n')}

Formats: ${formats.join(', ')}.
Environment: ${variables.join(', ')}; ${alone.join(', ')} have none.
Examples:
  spprof -o app.html node app.js
  spprof -r 1000 -o app.pb.gz -o app.cpuprofile -- npm test
  spprof -m wall -d 30 --dir recordings node server.js
  spprof -o load.html --on-port 'autocannon localhost:$PORT' node server.js

The exit status is the program's own (128 + n when a signal ended it), and 2 when nothing was started. It is 0 when Ctrl-C,
SIGTERM or SIGHUP to spprof ended the program, where Node.js alone would end with 130, 143 or 129: whoever asked for the
end has got it, and the profile. Every signal that can be caught is passed on to the program.
`;
}

/** @param {string} verb */
function verbHelp(verb) {
  return TOPICS[verb];
}

module.exports = { helpText, verbHelp, detail };
