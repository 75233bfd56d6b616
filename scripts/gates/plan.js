'use strict';

/** The plan: the tables of ARCHITECTURE.md name each floor of native/ and each folder of lib/, above all that it uses. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../tools');
const { LIB_FLOORS, floorsOfCMake } = require('./layers');

/** The first cells of a table, in order, without their last slash. @param {string} text from its head row on */
function rowsOf(text) {
  const table = text.slice(0, text.indexOf('\n\n'));
  return [...table.matchAll(/^\| `([^`]+)\/`/gm)].map((match) => match[1]);
}

/**
 * @param {string[]} rows the highest first
 * @param {Map<string, Iterable<string>>} floors and what each uses
 * @param {string} of what they are floors of
 * @returns {string[]}
 */
function tableProblems(rows, floors, of) {
  const problems = [...floors.keys()]
    .filter((floor) => !rows.includes(floor))
    .map((floor) => `the table of ${of} does not name ${floor}/`);
  for (const [at, row] of rows.entries()) {
    const uses = floors.get(row);
    if (uses === undefined) {
      problems.push(`the table of ${of} names ${row}/, which does not exist`);
      continue;
    }
    for (const used of uses)
      if (rows.indexOf(used) < at) problems.push(`${of}: ${row}/ uses ${used}/, which is above it`);
  }
  return problems;
}

/** @returns {string[]} one line a problem */
function checkPlan() {
  const text = fs.readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const lib = new Map([...Object.entries(LIB_FLOORS), ['cli', Object.keys(LIB_FLOORS)]]);
  return [
    ...tableProblems(rowsOf(text.slice(text.indexOf('| floor '))), floorsOfCMake(), 'native/'),
    ...tableProblems(rowsOf(text.slice(text.indexOf('| folder '))), lib, 'lib/'),
  ].map((problem) => `ARCHITECTURE.md: ${problem}`);
}

module.exports = { checkPlan, rowsOf, tableProblems };
