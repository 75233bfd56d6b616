'use strict';

/** The suite can be run with another engine: `SPPROF_TIMER=itimer npm test`. */

const ENGINE = process.env.SPPROF_TIMER ?? '';
const RIDES_ON_TICK = ['tick', 'itimer'].includes(ENGINE);

/** For tests of how the engine is chosen, or of what one of them does. */
const testUnlessChosen = ENGINE === '' ? test : test.skip;
const describeUnlessChosen = ENGINE === '' ? describe : describe.skip;

/** How many of the samples that were asked for come where the engine gives one a kernel tick (HZ=100). @param {number} count */
function atLeast(count) {
  return RIDES_ON_TICK ? count / 10 : count;
}

module.exports = { testUnlessChosen, describeUnlessChosen, atLeast };
