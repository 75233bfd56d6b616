'use strict';

/**
 * When a target has been fuzzed for long enough (docs/decisions/0046). It runs in rounds, each with a seed of its own and all inputs
 * that earlier rounds kept. A round ends when the second half of its time, and at least a minute, reached no new edge; a
 * target is saturated when a whole round, at least as long as the quiet time before it, reached none at all.
 * All times are CPU time, which a busy machine does not make longer.
 */

/** The shortest quiet time that means anything. */
const QUIET_S = 60;

/**
 * @typedef {object} Growth of the edges in one round
 * @property {number} known edges that the kept inputs reach; for a script the characters of lib/ that ran
 * @property {number} edges those at the end
 * @property {number} lastExecution the number of the execution that reached the last new edge; 0: none did
 * @property {number} lastSeconds CPU seconds before it
 * @property {{ seconds: number, executions: number, edges: number }[]} curve a point for each new number of edges
 */

/** @returns {Growth} */
function noGrowth() {
  return { known: 0, edges: 0, lastExecution: 0, lastSeconds: 0, curve: [] };
}

/** The kept inputs have been read: what they reach is known. @param {Growth} growth @param {number} edges */
function begin(growth, edges) {
  growth.known = edges;
  growth.edges = edges;
}

/** @param {Growth} growth @param {number} edges so far @param {number} executions so far @param {number} seconds so far */
function note(growth, edges, executions, seconds) {
  if (edges <= growth.edges) return;
  growth.edges = edges;
  growth.lastExecution = executions;
  growth.lastSeconds = seconds;
  growth.curve.push({ seconds, executions, edges });
}

/** Whether a round may end. @param {Growth} growth @param {number} seconds of the round @param {number} quiet the least quiet time */
function isQuiet(growth, seconds, quiet) {
  return seconds - growth.lastSeconds >= Math.max(quiet, growth.lastSeconds);
}

/** @typedef {{ executions: number, seconds: number, growth: Growth, findings: import('./targets').Finding[] }} Round */

/**
 * @param {(seed: number, quiet: number, limit: number) => Promise<Round>} runRound `limit`: CPU seconds that are left for it
 * @param {{ seed: number, limit: number }} settings `limit`: CPU seconds for all rounds
 * @returns {Promise<{ rounds: Round[], state: 'saturated' | 'limit' | 'finding' }>}
 */
async function untilSaturated(runRound, { seed, limit }) {
  /** @type {Round[]} */
  const rounds = [];
  let quiet = QUIET_S;
  for (let left = limit; left > 0; ) {
    const round = await runRound(seed + rounds.length, quiet, left);
    rounds.push(round);
    left -= Math.max(round.seconds, 1);
    if (round.findings.length > 0) return { rounds, state: 'finding' };
    const wasQuiet = isQuiet(round.growth, round.seconds, quiet);
    if (wasQuiet && round.growth.curve.length === 0 && rounds.length > 1) return { rounds, state: 'saturated' };
    quiet = Math.max(QUIET_S, round.seconds - round.growth.lastSeconds);
  }
  return { rounds, state: 'limit' };
}

/**
 * Rounds as one run: how many executions and seconds in all, and when the last new edge came. (libFuzzer's count of known edges differs
 * by a few from round to round.)
 * @param {Round[]} rounds
 */
function summaryOf(rounds) {
  let [executions, seconds, lastExecution, lastSeconds] = [0, 0, 0, 0];
  for (const { growth, ...round } of rounds) {
    if (growth.curve.length > 0) {
      lastExecution = executions + growth.lastExecution;
      lastSeconds = seconds + growth.lastSeconds;
    }
    executions += round.executions;
    seconds += round.seconds;
  }
  const { edges } = rounds[rounds.length - 1].growth;
  return {
    executions,
    seconds,
    edges,
    newEdges: Math.max(0, edges - rounds[0].growth.known),
    lastExecution,
    lastSeconds,
  };
}

module.exports = { QUIET_S, begin, isQuiet, noGrowth, note, summaryOf, untilSaturated };
