'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { programOf } = require('./list');

/**
 * Runs an antagonist with and without the sampler.
 *
 * @typedef {object} RunSettings
 * @property {string} node
 * @property {number} seconds
 * @property {number} seed
 * @property {string} folder for the recording
 * @property {number} [rate] samples a second; 0 or none: the default engine
 */

const CLI = path.join(__dirname, '..', '..', '..', 'lib', 'cli', 'main.js');

/** Longer than this beyond its time, and it hangs: SIGTERM, which spprof hands on. */
const DEADLINE_MS = 25_000;

/** @param {string} node */
function environment(node) {
  const entries = Object.entries(process.env).filter(([name]) => !/^(SPPROF_|NODE_OPTIONS$)/.test(name));
  return { ...Object.fromEntries(entries), PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
}

/** @param {string[]} args @param {RunSettings} settings */
function runNode(args, { node, seconds, folder }) {
  const { status, signal, stdout, stderr } = spawnSync(node, args, {
    ...{ cwd: folder, encoding: 'utf8', timeout: seconds * 1000 + DEADLINE_MS, killSignal: 'SIGTERM' },
    ...{ env: environment(node), maxBuffer: 1 << 28 },
  });
  return { status, signal, stdout, stderr };
}

/** @param {import('./list').Antagonist} antagonist @param {RunSettings} settings */
function commandOf({ name, flags }, { seconds, seed }) {
  return [...flags, programOf(name), String(seconds), String(seed)];
}

/** @param {import('./list').Antagonist} antagonist @param {RunSettings} settings */
function runPlain(antagonist, settings) {
  return runNode(commandOf(antagonist, settings), settings);
}

/**
 * @param {import('./list').Antagonist} antagonist
 * @param {RunSettings} settings
 */
function runRecorded(antagonist, settings) {
  const rate = settings.rate ? ['-r', String(settings.rate)] : [];
  const output = path.join(settings.folder, `${antagonist.name}.spprof`);
  const options = ['--json', '-o', output, ...rate, '--', settings.node];
  const run = runNode([CLI, ...options, ...commandOf(antagonist, settings)], settings);
  const summary = summaryIn(run.stderr);
  return {
    ...run,
    stats: summary?.stats ?? null,
    sampleCount: summary?.sampleCount ?? 0,
    log: fs.existsSync(output) ? output : null,
  };
}

/**
 * What the summary says of the first process; null: there is none.
 * @param {string} stderr
 * @returns {{ stats: import('../../../lib/index').Stats, sampleCount: number } | null}
 */
function summaryIn(stderr) {
  try {
    return JSON.parse(stderr).processes[0];
  } catch {
    return null;
  }
}

module.exports = { runPlain, runRecorded };
