'use strict';

const path = require('node:path');
const { plural } = require('../base/units');
const { visible } = require('../base/visible');

/**
 * What is said of source maps that cannot be used. Most of those that are named are of tools and dependencies, which are published
 * without their maps; who has not asked hears of the program's own scripts only, in one line.
 * @param {readonly string[]} problems `Profile.sourceMapProblems`
 * @param {{ verbose: boolean, quiet?: boolean, cwd: string }} settings
 * @returns {string} lines for stderr, or ''
 */
function sourceMapNotes(problems, { verbose, quiet = false, cwd }) {
  if (verbose) return problems.map((problem) => `spprof: ${visible(problem)}\n`).join('');
  if (quiet) return '';
  const folder = cwd === path.sep ? cwd : cwd + path.sep;
  const own = problems.filter((each) => !each.includes('/node_modules/') && each.includes(` of ${folder}`));
  if (own.length === 0) return '';
  return `spprof: ${plural(own.length, 'source map')} cannot be used (--verbose says which, and why)\n`;
}

module.exports = { sourceMapNotes };
