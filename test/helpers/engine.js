'use strict';

/** The suite can be run with another engine: `SPPROF_TIMER=itimer npm test`. */

const ENGINE = process.env.SPPROF_TIMER ?? '';
const RIDES_ON_TICK = ['tick', 'itimer'].includes(ENGINE);

/** For tests of how the engine is chosen, or of what one of them does. */
const { loadBinding } = require('../../lib/native/binding');

/** Why the engine perf cannot be used here; empty: it can. */
const PERF_PROBLEM = loadBinding().timerProblem('perf');

/** Rows of a table of tests that need the engine perf; none, and a line that says why, where it is forbidden. @template Row @param {Row[]} rows */
function wherePerfIsAllowed(...rows) {
  if (PERF_PROBLEM === '') return rows;
  console.info(`not run: ${JSON.stringify(rows)}: ${PERF_PROBLEM}`);
  return [];
}

const testUnlessChosen = ENGINE === '' ? test : test.skip;
const describeUnlessChosen = ENGINE === '' ? describe : describe.skip;

/** How many of the samples that were asked for come where the engine gives one a kernel tick (HZ=100). @param {number} count */
function atLeast(count) {
  return RIDES_ON_TICK ? count / 10 : count;
}

module.exports = { PERF_PROBLEM, wherePerfIsAllowed, testUnlessChosen, describeUnlessChosen, atLeast };
