'use strict';

/** docs/options.md, docs/advice.md and the man page say what the tables of options, rules, flags and formats say: `npm run fix` writes it, `npm run check` compares. */

const fs = require('node:fs');
const path = require('node:path');
const { OPTIONS, OPTION_NAMES, allowedText } = require('../../lib/options/options');
const { ROOT } = require('../tools');

const FILE = path.join(ROOT, 'docs', 'options.md');
const MAN_PAGE = path.join(ROOT, 'docs', 'spprof.1');
const ADVICE_PAGE = path.join(ROOT, 'docs', 'advice.md');

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|');
}

function optionDocs() {
  const { FLAGS } = require('../../lib/cli/flags');
  const alone = FLAGS.filter(({ option }) => option === undefined).map(({ long }) => `\`--${long}\``);
  const rows = OPTION_NAMES.map((name) => {
    const option = OPTIONS[name];
    const flag = option.flag === undefined ? '' : `\`--${option.flag}${option.operand ? ` <${option.operand}>` : ''}\``;
    const cells = [`\`${name}\``, flag, `\`${option.env}\``, `\`${option.default}\``, allowedText(option), option.help];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return [
    '# Options',
    '',
    'Written from the table in `lib/options/options.js` (`npm run fix`), which `start()`, the command line and the environment read.',
    '',
    '| `start()` | command line | environment | default | allowed | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Without a variable, on the command line alone: ${alone.join(', ')}.`,
    '',
  ].join('\n');
}

function adviceDocs() {
  const { RULES } = require('../../lib/advice/rules');
  const { LEAST_SAMPLES, MOST_FINDINGS } = require('../../lib/advice/advise');
  const rows = RULES.map(({ id, threshold, condition, advice }) =>
    [`\`${id}\``, `${100 * threshold} % ${condition}`, advice].map(cell),
  );
  return [
    '# Advice',
    '',
    'Written from the rules in `lib/advice/rules/` (`npm run fix`).',
    '',
    `\`spprof report\` ends with at most ${MOST_FINDINGS} findings, those that touch the most time first; \`-o x.md\`, \`report --json\` and \`profile.advice()\``,
    'have them too. Each comes from a rule: it says what was found, with its numbers and the lines of the program, and what can be done about it.',
    '',
    'Shares are of the CPU time of all threads, or with `report --thread` of that thread. In wall mode they are of the wall time in which threads',
    `had something to do. A finding needs at least ${LEAST_SAMPLES} samples; a profile of bytes or counts has none. Most rules read frames of V8 and`,
    "Node.js, which other profilers' files do not have: there they find nothing.",
    '',
    '| rule | it speaks when at least | what can be done |',
    '| --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '`test/truth/advice.test.js` records, for each rule, a program that sets it off and one that must not (`test/programs/advice/findings.js`).',
    '',
  ].join('\n');
}

/** What is written, by file. @returns {[string, string][]} */
function writtenDocs() {
  const { manPage } = require('../../lib/cli/verbs/man-page');
  return [
    [FILE, optionDocs()],
    [MAN_PAGE, manPage()],
    [ADVICE_PAGE, adviceDocs()],
  ];
}

function writeOptionDocs() {
  for (const [file, text] of writtenDocs()) fs.writeFileSync(file, text);
}

/** @returns {string[]} */
function checkOptionDocs() {
  return writtenDocs()
    .filter(([file, text]) => !fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text)
    .map(([file]) => `${path.relative(ROOT, file)} is not what the tables of lib/ say; npm run fix mends it`);
}

module.exports = { checkOptionDocs, writeOptionDocs };
