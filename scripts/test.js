'use strict';

/**
 * `npm test`: sets up what is missing, builds, and runs all tests: the core's (CTest), then JavaScript's (Jest).
 * `--native`: the core's only. `--counts <file>`: writes how many passed, failed and were skipped, as JSON.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setup } = require('./setup');
const { buildAddon, dropForeignCache } = require('./build-addon');
const { ROOT, packageBin, run } = require('./tools');

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {string} xml CTest's JUnit report @returns {Counts} */
function countsOfJunit(xml) {
  const head = /<testsuite\b[^>]*>/.exec(xml)?.[0] ?? '';
  const value = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = value('failures') + value('errors');
  const skipped = value('skipped') + value('disabled');
  return { passed: value('tests') - failed - skipped, failed, skipped };
}

/** @param {string} json Jest's report @returns {Counts} */
function countsOfJest(json) {
  const report = JSON.parse(json);
  return {
    passed: report.numPassedTests,
    // A suite that does not load has no tests; it counts as one that failed.
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Tells which tests have failed at first. @param {string} file Jest's report */
function tellOfSecondAttempts(file) {
  if (!fs.existsSync(file)) return;
  for (const { assertionResults } of JSON.parse(fs.readFileSync(file, 'utf8')).testResults) {
    for (const { fullName, invocations, status } of assertionResults) {
      if (invocations > 1) process.stdout.write(`attempt ${invocations}: ${status}: ${fullName}\n`);
    }
  }
}

/**
 * @param {number} status of the runner
 * @param {string} file its report
 * @param {(text: string) => Counts} read
 * @returns {Counts} a runner that failed without a report, or without a failed test, counts as one failure
 */
function countsOf(status, file, read) {
  const counts = fs.existsSync(file) ? read(fs.readFileSync(file, 'utf8')) : { passed: 0, failed: 0, skipped: 0 };
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** @param {string} folder for the report @returns {Counts} */
function runNative(folder) {
  const file = path.join(folder, 'ctest.xml');
  const jobs = String(os.cpus().length);
  dropForeignCache(path.join(ROOT, 'build', 'dev'));
  const status =
    run('cmake', ['--preset', 'dev']) ||
    run('cmake', ['--build', '--preset', 'dev', '--parallel', jobs]) ||
    // Some tests measure times, on cores that are not theirs alone: what is off is reported, and measured once more, until those tests
    // have a job of their own.
    run('ctest', ['--preset', 'dev', '--no-tests=error', '--repeat', 'until-pass:2', '--output-junit', file]);
  return countsOf(status, file, countsOfJunit);
}

/** @param {string} folder for the report @returns {Counts} */
function runJest(folder) {
  const file = path.join(folder, 'jest.json');
  const status = run(packageBin('jest'), ['--json', `--outputFile=${file}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  tellOfSecondAttempts(file);
  return countsOf(status, file, countsOfJest);
}

/** @param {string[]} args @returns {number} exit status */
function test(args) {
  if (!setup()) return 1;
  if (buildAddon() !== 0) return 1;
  require('./build-page').buildPage();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-test-'));
  const runners = args.includes('--native') ? [runNative] : [runNative, runJest];
  const all = runners.map((runner) => runner(folder));
  fs.rmSync(folder, { recursive: true });
  const sum = (/** @type {keyof Counts} */ key) => all.reduce((total, counts) => total + counts[key], 0);
  const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  const target = args.indexOf('--counts');
  if (target >= 0) fs.writeFileSync(args[target + 1], JSON.stringify(counts));
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.failed === 0 ? 0 : 1;
}

if (require.main === module) process.exitCode = test(process.argv.slice(2));
