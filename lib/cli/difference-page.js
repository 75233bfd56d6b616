'use strict';

const path = require('node:path');

/**
 * Writes the page that compares two recordings: `spprof diff <before> <after> -o diff.html`.
 * @param {{ before: import('../profile').Profile, after: import('../profile').Profile }} profiles
 * @param {[string, string]} labels the files' names, as the user gave them
 * @param {string} output
 * @returns {Promise<string>} the page's absolute path
 */
function writeDifferencePage({ before, after }, labels, output) {
  const names = /** @type {[string, string]} */ (labels.map((label) => path.basename(label)));
  return after.write(output, { format: 'flamegraph', before, labels: names });
}

module.exports = { writeDifferencePage };
