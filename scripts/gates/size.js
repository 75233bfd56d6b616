'use strict';

/** Files stay small enough to be read: fewer than 400 lines, and kebab-case names in JavaScript. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

const MAX_LINES = 400;

/** @returns {string[]} one line a problem */
function checkSize() {
  /** @type {string[]} */
  const problems = [];
  for (const file of projectFiles('lib/*', 'scripts/*', 'test/*.js', 'examples/*')) {
    const lines = fs.readFileSync(path.join(ROOT, file), 'utf8').split('\n').length - 1;
    if (lines >= MAX_LINES) problems.push(`${file}: ${lines} lines; split it below ${MAX_LINES}`);
    if (!/^[a-z0-9.-]+$/.test(path.basename(file))) problems.push(`${file}: name it in kebab-case`);
  }
  return problems;
}

module.exports = { checkSize };
