'use strict';

/** docs/options.md and the man page say what the tables of options, flags and formats say: `npm run fix` writes it, `npm run check` compares. */

const fs = require('node:fs');
const path = require('node:path');
const { OPTIONS, OPTION_NAMES, allowedText } = require('../../lib/options/options');
const { ROOT } = require('../tools');

const FILE = path.join(ROOT, 'docs', 'options.md');
const MAN_PAGE = path.join(ROOT, 'docs', 'spprof.1');

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

/** What is written, by file. @returns {[string, string][]} */
function writtenDocs() {
  const { manPage } = require('../../lib/cli/verbs/man-page');
  return [
    [FILE, optionDocs()],
    [MAN_PAGE, manPage()],
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
