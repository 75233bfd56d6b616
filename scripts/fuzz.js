'use strict';

/**
 * `npm run fuzz -- [--seconds N] [--until-saturated] [--only name,…] [--seed N]`: feeds damaged input to every reader of bytes and prints
 * a table. Each runs for N seconds (60), or in rounds until nothing new is found (docs/decisions/0046), for N seconds of CPU time
 * at most (3600). A finding's input is kept in build/fuzz/findings; exit status 1 when there is one.
 */

const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { summaryOf } = require('./fuzz/saturation');
const { NATIVE_TARGETS, TARGET_NAMES, prepareTargets, runTarget } = require('./fuzz/targets');

/** @typedef {import('./fuzz/targets').Outcome} Outcome */

const HEAD = ['target', 'executions', 'CPU s', 'edges', 'new', 'last new edge at', 'then quiet', 'state', 'findings'];

/** @param {Outcome} outcome @returns {string[]} */
function row({ name, state, rounds, findings }) {
  const { executions, seconds, edges, newEdges, lastExecution, lastSeconds } = summaryOf(rounds);
  const last = lastExecution === 0 ? 'none' : `${lastExecution} (${Math.round(lastSeconds)} s)`;
  const quiet = `${executions - lastExecution} (${Math.round(seconds - lastSeconds)} s)`;
  return [name, executions, Math.round(seconds), edges, newEdges, last, quiet, state, findings.length].map(String);
}

/** @param {Outcome[]} outcomes */
function table(outcomes) {
  return tableLines([HEAD, ...outcomes.map(row)], 1).join('\n');
}

/**
 * @param {{ seconds: number, seed: number, names?: string[], untilSaturated?: boolean, onOutcome?: (outcome: Outcome) => void }} settings
 * @returns {Promise<{ outcomes: Outcome[], skipped: string | null }>} `skipped`: why the core's targets were left out
 */
async function fuzz({ seconds, seed, names = TARGET_NAMES, untilSaturated = false, onOutcome }) {
  const skipped = prepareTargets(names);
  const outcomes = [];
  for (const name of names) {
    if (skipped !== null && NATIVE_TARGETS.includes(name)) continue;
    const outcome = await runTarget(name, { seconds, seed, untilSaturated });
    outcomes.push(outcome);
    onOutcome?.(outcome);
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
    options: {
      ...{ seconds: { type: 'string' }, only: { type: 'string' }, seed: { type: 'string' } },
      'until-saturated': { type: 'boolean', default: false },
    },
  });
  const names = values.only?.split(',') ?? TARGET_NAMES;
  const unknown = names.find((name) => !TARGET_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`no target ${unknown}; there are ${TARGET_NAMES.join(', ')}`);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  process.stdout.write(`--seed ${seed}\n`);
  const untilSaturated = values['until-saturated'] ?? false;
  const seconds = Number(values.seconds ?? (untilSaturated ? 3600 : 60));
  // A long run says as it goes what it has, so that one that is ended early has said something.
  const onOutcome = (/** @type {Outcome} */ each) => process.stdout.write(`${row(each).join('  ')}\n`);
  const { outcomes, skipped } = await fuzz({ seconds, seed, names, untilSaturated, onOutcome });
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
