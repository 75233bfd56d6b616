'use strict';

const fs = require('node:fs');

/** What the kernel says of processes; and waiting for it, with a deadline instead of a sleep. */

/** @param {number} pid @returns {string} its state, as in ps: R, S, T, Z, …; '' when it is gone */
function stateOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return '';
  }
}

/**
 * @template T
 * @param {() => T} look
 * @param {string} what is waited for
 * @returns {Promise<T>} what it gives first that is true
 */
async function until(look, what, deadlineMs = 20_000) {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = look();
    if (seen) return seen;
    if (performance.now() > deadline) throw new Error(`in ${deadlineMs} ms it did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

module.exports = { stateOf, until };
