'use strict';

/** docs/options.md says what the options table says: `npm run fix` writes it, `npm run check` compares. */

const fs = require('node:fs');
const path = require('node:path');
const { OPTIONS, OPTION_NAMES, allowedText } = require('../../lib/options');
const { ROOT } = require('../tools');

const FILE = path.join(ROOT, 'docs', 'options.md');

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|');
}

function optionDocs() {
  const rows = OPTION_NAMES.map((name) => {
    const option = OPTIONS[name];
    const flag = option.flag === undefined ? '' : `\`--${option.flag}${option.operand ? ` <${option.operand}>` : ''}\``;
    const cells = [`\`${name}\``, flag, `\`${option.env}\``, `\`${option.default}\``, allowedText(option), option.help];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return [
    '# Options',
    '',
    'Written from the table in `lib/options.js` (`npm run fix`), which `start()`, the command line and the environment read.',
    '',
    '| `start()` | command line | environment | default | allowed | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function writeOptionDocs() {
  fs.writeFileSync(FILE, optionDocs());
}

/** @returns {string[]} */
function checkOptionDocs() {
  const is = fs.existsSync(FILE) ? fs.readFileSync(FILE, 'utf8') : '';
  return is === optionDocs() ? [] : ['docs/options.md is not what lib/options.js says; npm run fix mends it'];
}

module.exports = { checkOptionDocs, writeOptionDocs };
