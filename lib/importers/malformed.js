'use strict';

/** A file whose content is not what it should be; `place`: where in it. */
class Malformed extends Error {
  /** @param {string} place @param {string} problem */
  constructor(place, problem) {
    super(`${place}: ${problem}`);
  }
}

/** What a message shows of a line. @param {string} line */
function excerpt(line) {
  return JSON.stringify(line.slice(0, 60));
}

module.exports = { Malformed, excerpt };
