'use strict';

/** The mutations of `npm run mutate`, and how their place in a file is found. */

const fs = require('node:fs');
const path = require('node:path');

/**
 * `find`: text that is in `file` once; `replace`: what stands there instead. `test`: the program of test/native that is
 * to notice it; `cases`: as for --gtest_filter. `isInTest`: the file is compiled as a part of that program, so that
 * nothing else is built.
 * @typedef {object} Mutation
 * @property {string} name
 * @property {string} what
 * @property {string} file
 * @property {string} find
 * @property {string} replace
 * @property {string} test
 * @property {string} cases
 * @property {'dev' | 'tsan'} [preset]
 * @property {boolean} [isInTest]
 */
/** What no test can notice. @typedef {{ name: string, why: string }} Untried */

/** @type {Mutation[]} */
const MUTATIONS = [
  ...require('./phases').PHASES,
  ...require('./drops').DROPS,
  ...require('./orders').ORDERS,
  ...require('./errors').ERRORS,
];

/** @type {Untried[]} */
const UNTRIED = [...require('./orders').UNTRIED, ...require('./errors').UNTRIED];

/**
 * @param {string} folder of the tree
 * @param {Mutation} mutation
 * @returns {{ text: string, mutated: string, problem: string | null }} `problem`: why it cannot be made
 */
function placeOf(folder, { file, find, replace }) {
  const text = fs.readFileSync(path.join(folder, file), 'utf8');
  const times = text.split(find).length - 1;
  const problem = times === 1 ? null : `${file} has this text ${times} times, and should have it once: ${find}`;
  return { text, mutated: text.replace(find, () => replace), problem };
}

module.exports = { MUTATIONS, UNTRIED, placeOf };
