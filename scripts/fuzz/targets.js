'use strict';

/** All fuzz targets, and what a run of one has given. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../tools');
const { NATIVE_TARGETS, buildTargets, runNativeTarget, whyNotBuilt } = require('./native-targets');
const { untilSaturated } = require('./saturation');
const { SCRIPT_TARGETS, makeSeeds, runScriptTarget } = require('./script-targets');

/**
 * @typedef {{ file: string, problem: string, again: string }} Finding `again`: the command that repeats it
 * @typedef {{ folder: string, seeds: string, findings: string }} Folders `folder`: of all that is kept; `seeds`: of real files
 * @typedef {object} RoundSettings
 * @property {number} seconds at most
 * @property {number} seed
 * @property {number | null} quiet the round ends after so many CPU seconds without a new edge (saturation.js); null: it does not
 * @property {Folders} folders
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string} state `saturated`, `limit` or `finding`
 * @property {import('./saturation').Round[]} rounds
 * @property {Finding[]} findings
 */

const FOLDER = path.join(ROOT, 'build/fuzz');
const FINDINGS = path.join(FOLDER, 'findings');

const TARGET_NAMES = [...NATIVE_TARGETS, ...SCRIPT_TARGETS];

/** Seeds are made anew in each run, of what the present code writes. @param {string[]} names @returns {string | null} why native ones are left out */
function prepareTargets(names) {
  const seeds = path.join(FOLDER, 'script-seeds');
  fs.rmSync(seeds, { recursive: true, force: true });
  fs.mkdirSync(FINDINGS, { recursive: true });
  makeSeeds(seeds);
  const native = names.filter((name) => NATIVE_TARGETS.includes(name));
  if (native.length === 0) return null;
  const why = whyNotBuilt();
  if (why === null) buildTargets(native);
  return why;
}

/**
 * @param {string} name
 * @param {{ seconds: number, seed: number, untilSaturated: boolean }} settings `seconds`: at most, in all
 * @returns {Promise<Outcome>}
 */
async function runTarget(name, { seconds, seed, untilSaturated: isLong }) {
  const folders = { folder: FOLDER, seeds: path.join(FOLDER, 'script-seeds'), findings: FINDINGS };
  const run = NATIVE_TARGETS.includes(name) ? runNativeTarget : runScriptTarget;
  const { rounds, state } = isLong
    ? await untilSaturated((each, quiet, left) => run(name, { seconds: left, seed: each, quiet, folders }), {
        ...{ seed, limit: seconds },
      })
    : { rounds: [await run(name, { seconds, seed, quiet: null, folders })], state: 'limit' };
  const findings = rounds.flatMap((round) => round.findings);
  return { name, rounds, findings, state: findings.length > 0 ? 'finding' : state };
}

module.exports = { NATIVE_TARGETS, TARGET_NAMES, prepareTargets, runTarget };
