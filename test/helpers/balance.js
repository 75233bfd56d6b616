'use strict';

/**
 * The law of all counters, in any recording, however it has ended: each signal was written, or dropped for one reason.
 * @param {Pick<import('../../lib/index').Stats, 'signals' | 'written' | 'dropped'>} stats
 */
function expectBalance({ signals, written, dropped }) {
  expect(signals).toBe(Object.values(dropped).reduce((sum, each) => sum + each, written));
}

module.exports = { expectBalance };
