'use strict';

/** Lines of the folders that are to be covered whole which no test can reach. `npm run coverage` checks the list. */

/** Each of their lines runs in a test, or is in the list. */
const WHOLE = ['session', 'signal_safe', 'registry', 'region', 'drain'].map((name) => `native/${name}`);

/** @type {import('./exceptions').Exception[]} */
const UNREACHABLE = [];

module.exports = { UNREACHABLE, WHOLE };
