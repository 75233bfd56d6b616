'use strict';

/**
 * A recording that the tests of a block look at together, made by the first of them, and again for a test that is run
 * again (`jest.retryTimes`): looking at the same measurement twice would be no second measurement.
 *
 * @template Run
 * @param {() => Promise<Run>} record
 * @returns {() => Run} what was recorded, for use within a test
 */
function recordedAnew(record) {
  /** @type {Run} */
  let run;
  /** @type {Set<string | undefined> | null} */
  let seenBy = null;
  beforeEach(async () => {
    const { currentTestName } = expect.getState();
    if (seenBy === null || seenBy.has(currentTestName)) {
      run = await record();
      seenBy = new Set();
    }
    seenBy.add(currentTestName);
  });
  return () => run;
}

module.exports = { recordedAnew };
