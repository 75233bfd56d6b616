'use strict';

/**
 * `npm run coverage`: which lines of native/ and lib/ run in the tests: a table for each folder, and the lines that do not.
 * `--help` lists the options. Exit status 1 when a line of a folder that is to be covered whole is not.
 */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { compare } = require('./coverage/exceptions');
const { merge, ranges, rowsOf, uncovered } = require('./coverage/lines');
const native = require('./coverage/native');
const { copyTree, runJest } = require('./coverage/script');
const { UNREACHABLE, WHOLE } = require('./coverage/unreachable');
const { ROOT, requireTool, run } = require('./tools');

/** @typedef {import('./coverage/lines').Lines} Lines */

const HELP = `Usage: npm run coverage -- [options] [Jest suite …]

  --native         GoogleTest alone: what Jest runs of the core, and lib/, are left out
  --tests <regexp> of CTest: only these; then the lines that others run count as not covered
  --help           print this
`;

/** @param {string[]} heads @param {Lines[]} ways */
function table(heads, ways) {
  const rows = rowsOf(ways).map(({ folder, lines, covered }) => {
    const shares = covered.map((count) => `${((count * 100) / lines).toFixed(1)} %`);
    return [folder, String(lines), ...shares];
  });
  return tableLines([['folder', 'lines', ...heads], ...rows], 1).join('\n');
}

/** @param {Lines} lines */
function listOf(lines) {
  return uncovered(lines)
    .map((each) => `  ${each.file}: ${ranges(each.lines)}`)
    .join('\n');
}

/** @param {{ tests?: string }} settings @param {string} folder for the counters @returns {number} exit status */
function runGoogleTest({ tests }, folder) {
  const names = fs.readdirSync(path.join(ROOT, 'test', 'native'), { recursive: true }).map(String);
  const programs = names.filter((name) => name.endsWith('_test.cc')).map((name) => path.basename(name, '.cc'));
  const wanted = tests === undefined ? [] : programs.filter((name) => new RegExp(tests).test(name));
  if (native.build(wanted) !== 0) throw new Error('the core could not be built for coverage (see above)');
  const chosen = tests === undefined ? [] : ['-R', `^(${wanted.join('|')})\\.`];
  return run('ctest', ['--preset', 'coverage', '--no-tests=error', ...chosen], { env: native.environment(folder) });
}

async function main() {
  const { values, positionals: suites } = parseArgs({
    options: { native: { type: 'boolean' }, tests: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(HELP);
  for (const tool of ['cmake', 'clang++']) requireTool(tool);
  const counters = path.join(ROOT, 'build', 'coverage', 'counters');
  fs.rmSync(counters, { recursive: true, force: true });
  const [ofTests, ofJest] = ['googletest', 'jest'].map((name) => path.join(counters, name));
  let status = runGoogleTest(values, ofTests);
  const core = native.linesOf([ofTests]);
  let all = core;
  if (!values.native) {
    if (native.build(['spprof']) !== 0) throw new Error('the addon could not be built for coverage (see above)');
    const folder = copyTree(native.ADDON);
    const ran = await runJest(folder, suites, native.environment(ofJest));
    fs.rmSync(folder, { recursive: true });
    status ||= ran.status;
    all = native.linesOf([ofTests, ofJest]);
    const script = merge([ran.own, ran.processes]);
    process.stdout.write(`\n${table(['in process', 'with sub-processes'], [ran.own, script])}\n\n${listOf(script)}\n`);
  }
  const ways = values.native ? [all] : [core, all];
  process.stdout.write(`\n${table(['GoogleTest', 'and Jest'].slice(0, ways.length), ways)}\n\n${listOf(all)}\n`);
  const problems = compare(all, UNREACHABLE, WHOLE, (file) => fs.readFileSync(path.join(ROOT, file), 'utf8'));
  process.stdout.write(`\n${problems.join('\n')}${problems.length === 0 ? '' : '\n'}`);
  if (status !== 0) process.stdout.write('not all tests have passed: lines may count as not covered that are\n');
  process.exitCode = status === 0 && problems.length === 0 ? 0 : 1;
}

if (require.main === module) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  });
}
