'use strict';

/** All fuzz targets, and what a run of one has given. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../tools');
const { NATIVE_TARGETS, buildTargets, runNativeTarget, whyNotBuilt } = require('./native-targets');
const { SCRIPT_TARGETS, makeSeeds, runScriptTarget } = require('./script-targets');

/**
 * @typedef {{ file: string, problem: string, again: string }} Finding `again`: the command that repeats it
 * @typedef {{ name: string, executions: number, seconds: number, edges: number | null, newEdges: number | null, findings: Finding[] }} Outcome
 *   `edges`: of coverage; `newEdges`: of these, which the corpus had not reached before; null: not known
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
 * @param {{ seconds: number, seed: number, more?: string[] }} settings `more`: arguments for libFuzzer
 * @returns {Promise<Outcome>}
 */
async function runTarget(name, { seconds, seed, more = [] }) {
  const seeds = path.join(FOLDER, 'script-seeds');
  const settings = { seconds, seed, seeds, folder: FOLDER, findings: FINDINGS };
  return NATIVE_TARGETS.includes(name)
    ? runNativeTarget(name, { ...settings, more })
    : await runScriptTarget(name, settings);
}

module.exports = { NATIVE_TARGETS, TARGET_NAMES, prepareTargets, runTarget };
