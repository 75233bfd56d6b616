'use strict';

const { OPTIONS } = require('../../options/options');
const { FORMATS, FORMAT_NAMES } = require('../../exporters/formats');
const { FLAGS } = require('../flags');
const { detail, verbHelp } = require('../help');

/** `spprof.1`, from the tables of flags, options and formats; `npm run fix` writes it to docs/spprof.1, a gate compares it. */

/** @param {string} text */
function roff(text) {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** @param {import('../flags').Flag} flag */
function flagEntry(flag) {
  const { long, short, operand, help } = flag;
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}`]
    .map((name) => `\\fB${roff(name)}\\fR`)
    .join(', ');
  return `.TP\n${names}${operand === undefined ? '' : ` \\fI${roff(operand)}\\fR`}\n${roff(help + detail(flag))}`;
}

function manPage() {
  const { version } = require('../../../package.json');
  const verbs = ['report', 'view', 'convert', 'diff', 'recover'];
  const bareVerbs = ['env', 'build'];
  return `.\\" Written by npm run fix from the tables of lib/.
.TH SPPROF 1 "" "spprof ${version}" "User Commands"
.SH NAME
spprof \\- record where a Node.js program spends its time, on every thread
.SH SYNOPSIS
.B spprof
[\\fBrecord\\fR] [\\fIoptions\\fR] [\\fB\\-\\-\\fR] \\fIcommand\\fR [\\fIargs\\fR...]
.br
.B spprof
${verbs.map((verb) => `\\fB${verb}\\fR`).join(' | ')} [\\fIoptions\\fR] \\fIfile\\fR...
.br
.B spprof
${bareVerbs.map((verb) => `\\fB${verb}\\fR`).join(' | ')}
.SH OPTIONS OF RECORD
${FLAGS.map(flagEntry).join('\n')}
.SH OTHER VERBS
${[...verbs, ...bareVerbs].map((verb) => `.SS ${verb}\n.nf\n${roff(verbHelp(verb).trimEnd())}\n.fi`).join('\n')}
.SH FORMATS
${FORMAT_NAMES.map((name) => `.TP\n\\fB${name}\\fR\n${roff(`${FORMATS[name].extensions.join(', ')}: ${FORMATS[name].hint}`)}`).join('\n')}
.SH EXIT STATUS
.TP
.B the program's own
128 + n when a signal ended it
.TP
.B 0
after Ctrl\\-C, SIGTERM or SIGHUP to spprof has ended the program (Node.js alone: 130, 143, 129), or when the load of \\-\\-on\\-port has ended well
.TP
.B 1
an output could not be written, or the load failed; diff: something got slower by more than \\-\\-fail\\-over
.TP
.B 2
wrong use: nothing was started
.SH ENVIRONMENT
${Object.values(OPTIONS)
  .map(
    ({ env, flag }) =>
      `.TP\n\\fB${env}\\fR\n${flag === undefined ? 'an option of start()' : `as ${roff(`--${flag}`)}`}`,
  )
  .join('\n')}
`;
}

module.exports = { manPage };
