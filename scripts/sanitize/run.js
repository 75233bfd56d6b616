'use strict';

/** Builds and runs the core's tests with one sanitizer. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { dropForeignCache } = require('../build-addon');
const { ROOT, capture, run } = require('../tools');
const { readGoogleTest, readJunit } = require('./cases');

/** @typedef {import('./cases').Outcome} Outcome */

const NATIVE = path.join(ROOT, 'test', 'native');
const JOBS = String(os.cpus().length);

/** Valgrind runs one thread at a time, some twenty times slower. */
const VALGRIND_ROUNDS = '60';
const VALGRIND = [
  ...['--quiet', '--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite'],
  // A forked child has the memory of threads that it does not have.
  ...['--errors-for-leak-kinds=definite', '--child-silent-after-fork=yes', '--fair-sched=yes'],
  `--suppressions=${path.join(NATIVE, 'valgrind.supp')}`,
];

/** The tests that there are, without `_test`. @returns {string[]} */
function allTests() {
  const files = fs.readdirSync(NATIVE, { recursive: true }).map(String);
  return files.filter((file) => file.endsWith('_test.cc')).map((file) => path.basename(file, '_test.cc'));
}

/** @param {string} preset @param {string[]} tests @returns {string | null} why it could not be built */
function build(preset, tests) {
  const targets = tests.map((test) => `${test}_test`);
  dropForeignCache(path.join(ROOT, 'build', preset));
  const isBuilt =
    run('cmake', ['--preset', preset], { stdio: ['ignore', 'ignore', 'inherit'] }) === 0 &&
    run('cmake', ['--build', '--preset', preset, '--parallel', JOBS, '--target', ...targets], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }) === 0;
  return isBuilt ? null : `${preset}: the tests could not be built (see above)`;
}

/** @param {string | null} problem @returns {Outcome} */
function nothing(problem) {
  return { cases: [], reports: [], shown: '', problem };
}

/** @param {'asan' | 'tsan'} preset @param {string[] | null} tests null: all @returns {Outcome} */
function runPreset(preset, tests) {
  const names = tests ?? allTests();
  const problem = build(preset, names);
  if (problem !== null) return nothing(problem);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-sanitize-'));
  const file = path.join(folder, 'ctest.xml');
  const { status, output } = capture('ctest', [
    ...['--preset', preset, '--no-tests=error', '-R', `^(${names.join('|')})_test\\.`],
    // A report in the output of a case that has passed is one, too.
    ...['--output-junit', file, '--test-output-size-passed', '10000000'],
  ]);
  const xml = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  fs.rmSync(folder, { recursive: true });
  const outcome = readJunit(xml);
  const isSilent = status !== 0 && !outcome.cases.some(({ result }) => result === 'failed');
  return { ...outcome, problem: isSilent ? `${preset}: ctest ended with status ${status}:\n${output}` : null };
}

/** @param {string[]} tests @returns {Outcome} */
function runValgrind(tests) {
  const { status, output } = capture('valgrind', ['--version']);
  if (status !== 0) return nothing(`valgrind: ${output.trim()}; apt-get install valgrind`);
  const problem = build('dev', tests);
  if (problem !== null) return nothing(problem);
  /** @type {Outcome} */
  const all = nothing(null);
  const env = { ...process.env, SPPROF_TEST_ROUNDS: VALGRIND_ROUNDS };
  for (const test of tests) {
    const program = `${test}_test`;
    const ran = capture('valgrind', [...VALGRIND, path.join(ROOT, 'build', 'dev', program)], { env });
    const { cases, reports, shown } = readGoogleTest(ran.output, program);
    all.cases.push(...cases);
    all.reports.push(...reports);
    all.shown += shown;
    if (ran.status !== 0 && shown === '')
      all.problem = `valgrind: ${program} ended with status ${ran.status}:\n${ran.output}`;
  }
  return all;
}

/** @param {string} name @param {string[] | null} tests @returns {Outcome} */
function runSuite(name, tests) {
  return name === 'valgrind'
    ? runValgrind(tests ?? allTests())
    : runPreset(/** @type {'asan' | 'tsan'} */ (name), tests);
}

module.exports = { runSuite };
