'use strict';

/**
 * `npm run fuzz -- [--seconds N] [--only name,…] [--seed N]`: feeds damaged input to every reader of bytes, N seconds
 * each (60), and prints a table. A finding's input is kept in build/fuzz/findings; exit status 1 when there is one.
 */

const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { NATIVE_TARGETS, TARGET_NAMES, prepareTargets, runTarget } = require('./fuzz/targets');

/** @typedef {import('./fuzz/targets').Outcome} Outcome */

/** @param {Outcome} outcome */
function row({ name, executions, seconds, edges, newEdges, findings }) {
  const perSecond = Math.round(executions / seconds);
  return [name, executions, perSecond, edges ?? '-', newEdges ?? '-', findings.length].map(String);
}

/** @param {Outcome[]} outcomes */
function table(outcomes) {
  const rows = [['target', 'executions', 'per second', 'edges', 'new', 'findings'], ...outcomes.map(row)];
  return tableLines(rows, 1).join('\n');
}

/**
 * @param {{ seconds: number, seed: number, names?: string[] }} settings
 * @returns {Promise<{ outcomes: Outcome[], skipped: string | null }>} `skipped`: why the core's targets were left out
 */
async function fuzz({ seconds, seed, names = TARGET_NAMES }) {
  const skipped = prepareTargets(names);
  const outcomes = [];
  for (const name of names) {
    if (skipped !== null && NATIVE_TARGETS.includes(name)) continue;
    outcomes.push(await runTarget(name, { seconds, seed }));
  }
  return { outcomes, skipped };
}

/** @param {Outcome[]} outcomes @returns {string[]} */
function problemsOf(outcomes) {
  return outcomes.flatMap(({ name, findings }) =>
    findings.map(({ problem, again }) => `${name}: ${problem.trim()}\nagain with: ${again}`),
  );
}

async function main() {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, only: { type: 'string' }, seed: { type: 'string' } },
  });
  const names = values.only?.split(',') ?? TARGET_NAMES;
  const unknown = names.find((name) => !TARGET_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`no target ${unknown}; there are ${TARGET_NAMES.join(', ')}`);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  process.stdout.write(`--seed ${seed}\n`);
  const { outcomes, skipped } = await fuzz({ seconds: Number(values.seconds ?? 60), seed, names });
  const problems = problemsOf(outcomes);
  for (const problem of problems) process.stdout.write(`\n${problem}\n`);
  process.stdout.write(`\n${table(outcomes)}\n`);
  if (skipped !== null) process.stdout.write(`SKIPPED: the targets of the core: ${skipped}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (require.main === module) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  });
}

module.exports = { fuzz, problemsOf, table };
