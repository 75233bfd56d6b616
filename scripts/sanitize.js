'use strict';

/**
 * `npm run sanitize`: builds the core's tests with ASan and UBSan, and with TSan, and runs them; runs some of them under
 * valgrind; prints a table. `--help` lists the options. Exit status 1 when a test fails or a sanitizer reports something.
 */

const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { runSuite } = require('./sanitize/run');
const { KEEPS_SAMPLES, SUITES } = require('./sanitize/suites');
const { requireTool } = require('./tools');

/** @typedef {import('./sanitize/cases').Outcome} Outcome */
/** @typedef {Outcome & { name: string, seconds: number }} Ran */

const HELP = `Usage: npm run sanitize -- [options]

  --only <name,…>  of asan (with UBSan), tsan, valgrind
  --gate           the part that .ci/run has time for (docs/sanitizers.md)
  --help           print this
`;

/** @param {Ran} ran @returns {string[]} what fails it */
function problemsOf({ name, cases, reports, problem }) {
  const failed = cases.filter(({ result }) => result === 'failed').map((each) => `${name}: ${each.name} has failed`);
  const keeps = cases.find((each) => each.name.endsWith(KEEPS_SAMPLES))?.result ?? 'not run';
  const given =
    keeps === 'passed' || problem !== null ? [] : [`${name}: are samples taken? ${KEEPS_SAMPLES}: ${keeps}`];
  return [...(problem === null ? [] : [problem]), ...reports.map((each) => `${name}: ${each}`), ...failed, ...given];
}

/** @param {Ran[]} all @returns {string[]} */
function summaryLines(all) {
  const rows = all.map(({ name, cases, reports, seconds }) => {
    const count = (/** @type {string} */ which) => cases.filter(({ result }) => result === which).length;
    return [
      name,
      ...[count('passed'), count('failed'), reports.length, count('skipped'), Math.round(seconds)].map(String),
    ];
  });
  const skips = all.flatMap(({ name, cases }) => {
    /** @type {Map<string, number>} */
    const reasons = new Map();
    for (const { result, reason } of cases) {
      if (result === 'skipped') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    return [...reasons].map(([reason, count]) => [name, reason, String(count)]);
  });
  const table = tableLines([['preset', 'passed', 'failed', 'reports', 'skipped', 'seconds'], ...rows], 1);
  return skips.length === 0 ? table : [...table, '', ...tableLines([['skipped in', 'because', 'tests'], ...skips], 2)];
}

/** @returns {number} exit status */
function main() {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, gate: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = values.only?.split(',') ?? SUITES.map(({ name }) => name);
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown !== undefined) throw new Error(`no preset ${unknown}; there are asan, tsan, valgrind`);
  for (const tool of ['cmake', 'g++']) requireTool(tool);
  const all = SUITES.filter(({ name }) => names.includes(name)).map(({ name, gate, parts }) => {
    const begin = performance.now();
    const outcome = runSuite(name, values.gate ? gate : parts);
    return { name, ...outcome, seconds: (performance.now() - begin) / 1000 };
  });
  const problems = all.flatMap(problemsOf);
  for (const { shown } of all) process.stdout.write(shown);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(`\n${summaryLines(all).join('\n')}\n`);
  return problems.length === 0 ? 0 : 1;
}

if (require.main === module) {
  try {
    process.exitCode = main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}

module.exports = { problemsOf, summaryLines };
