'use strict';

/**
 * `npm run mutate`: damages the core in one place at a time, in a copy, and runs the tests that are named for it: each
 * damage must be noticed. `--help` lists the options. Exit status 1 when one is not, 2 when it could not be tried.
 */

const os = require('node:os');
const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { MUTATIONS, UNTRIED, placeOf } = require('./mutate/mutations');
const { Copy } = require('./mutate/copy');
const { ROOT, requireTool } = require('./tools');

/** @typedef {import('./mutate/mutations').Mutation} Mutation */
/** @typedef {{ mutation: Mutation, result: string, seconds: number, detail?: string }} Outcome */

const NOTICED = 'noticed';
const NOT_NOTICED = 'NOT noticed';
const UNTRIABLE = 'does not apply';

const HELP = `Usage: npm run mutate -- [options]

Makes one mutation of the core after another in a copy of the tree, builds the test that is named for it, and runs it.

  --only <name,…>  those mutations whose name is this or begins with it and a dash, such as order or order-Q1
  --list           print the mutations, and what is not tried and why, and do nothing
  --jobs <n>       of the compiler at once (${os.cpus().length}: the number of CPUs)
  --help           print this
`;

/** @param {Mutation} mutation */
const testOf = ({ preset = 'dev', test, cases }) => `${preset === 'dev' ? '' : `${preset}: `}${test} ${cases}`;

/** @param {string[][]} rows the first one: headings */
function table(rows) {
  return tableLines(rows, rows[0].length).join('\n');
}

/** @param {string | undefined} only @returns {Mutation[]} */
function chosen(only) {
  if (only === undefined) return MUTATIONS;
  const wanted = only.split(',');
  const fits = (/** @type {string} */ name, /** @type {string} */ want) => name === want || name.startsWith(`${want}-`);
  const unknown = wanted.find((want) => !MUTATIONS.some(({ name }) => fits(name, want)));
  if (unknown !== undefined) throw new Error(`no mutation ${unknown}; npm run mutate -- --list prints them`);
  return MUTATIONS.filter(({ name }) => wanted.some((want) => fits(name, want)));
}

/**
 * @param {Copy} copy
 * @param {Mutation} mutation
 * @returns {Promise<Pick<Outcome, 'result' | 'detail'>>}
 */
async function tryOne(copy, mutation) {
  const problem = placeOf(copy.folder, mutation).problem ?? (await copy.problemOf(mutation));
  if (problem !== null) return { result: UNTRIABLE, detail: problem };
  const { status, output } = await copy.runMutated(mutation);
  if (status === 'failed') return { result: NOTICED };
  return status === 'passed' ? { result: NOT_NOTICED } : { result: UNTRIABLE, detail: output };
}

/**
 * @param {Mutation[]} mutations
 * @param {number} jobs
 * @returns {Promise<Outcome[]>}
 */
async function mutate(mutations, jobs) {
  const copy = new Copy(jobs);
  /** @type {Outcome[]} */
  const outcomes = [];
  try {
    for (const mutation of mutations) {
      const begin = performance.now();
      process.stdout.write(`[${outcomes.length + 1}/${mutations.length}] ${mutation.name} … `);
      const outcome = await tryOne(copy, mutation);
      const seconds = (performance.now() - begin) / 1000;
      outcomes.push({ mutation, seconds, ...outcome });
      process.stdout.write(`${outcome.result}, ${seconds.toFixed(0)} s\n`);
      if (outcome.detail !== undefined) process.stdout.write(`${outcome.detail}\n`);
    }
  } finally {
    copy.remove();
  }
  return outcomes;
}

/** @param {Mutation[]} mutations */
function list(mutations) {
  const rows = mutations.map((each) => [each.name, testOf(each), placeOf(ROOT, each).problem ?? each.what]);
  process.stdout.write(`${table([['mutation', 'test', 'what'], ...rows])}\n\n`);
  process.stdout.write(`${table([['not tried', 'why'], ...UNTRIED.map(({ name, why }) => [name, why])])}\n`);
}

/** A reader that has seen enough, such as `head`, ends it without a word. @param {NodeJS.ErrnoException} error */
function leaveWithTheReader(error) {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

async function main() {
  process.stdout.on('error', leaveWithTheReader);
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      jobs: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const mutations = chosen(values.only);
  if (values.list) return list(mutations);
  const jobs = Number(values.jobs ?? os.cpus().length);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs}: not a number of jobs`);
  for (const tool of ['cmake', 'g++', 'git']) requireTool(tool);
  const outcomes = await mutate(mutations, jobs);
  const rows = outcomes.map(({ mutation, result, seconds }) => [
    mutation.name,
    testOf(mutation),
    result,
    seconds.toFixed(0),
  ]);
  process.stdout.write(`\n${table([['mutation', 'test', 'result', 'seconds'], ...rows])}\n`);
  if (outcomes.some(({ result }) => result === NOT_NOTICED)) process.exitCode = 1;
  if (outcomes.some(({ result }) => result === UNTRIABLE)) process.exitCode = 2;
}

if (require.main === module) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  });
}

module.exports = { chosen, table };
