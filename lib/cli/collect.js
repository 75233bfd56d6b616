'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { loadBinding } = require('../native/binding');
const { codeOf } = require('../base/errors');
const { readLog, sharesOf } = require('../profile/read-profile');

/** Finds and reads what the processes of a program have recorded. */

/** How long processes that outlive the command are waited for, and how often one looks. */
const GRACE_MS = 2000;
const POLL_MS = 10;

const PROCESS_FOLDER = /^(\d+)-\d+$/;

/**
 * The folders of processes in a recording's folder.
 * @param {string} folder
 * @param {Set<string>} [ignore] names
 * @returns {{ folder: string, pid: number }[]}
 */
function processFolders(folder, ignore = new Set()) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && PROCESS_FOLDER.test(entry.name) && !ignore.has(entry.name))
    .map(({ name }) => ({ folder: path.join(folder, name), pid: Number.parseInt(name, 10) }));
}

/**
 * Waits for the processes of recordings to end, but not for long: a daemon never does. Where nothing says whether one lives, it has
 * ended when the time is over.
 * @param {string[]} folders of processes
 * @returns {Promise<Set<string>>} the folders of those that still run
 */
async function waitForProcesses(folders) {
  const { processState } = loadBinding();
  const deadline = performance.now() + GRACE_MS;
  let left = folders.filter((folder) => processState(folder) !== 'dead');
  while (left.length > 0 && performance.now() < deadline) {
    await delay(POLL_MS);
    left = left.filter((folder) => processState(folder) !== 'dead');
  }
  return new Set(left.filter((folder) => processState(folder) === 'alive'));
}

/**
 * Finishes a dead process's log and reads it.
 * @param {string} folder of the process
 * @param {import('../profile/read-profile').Reading} reading
 * @param {{ program?: string, share?: number }} settings its name where it left none; its share of the memory
 * @returns {Promise<import('../profile/profile').Profile>}
 * @throws (rejects) `ERR_SPPROF_BAD_RECORDING`, `ERR_SPPROF_SYSTEM`
 */
async function readProcess(folder, reading, { program, share }) {
  if (fs.existsSync(path.join(folder, 'region'))) await loadBinding().recover(folder);
  return readLog({ file: path.join(folder, 'log'), program: programOf(folder) ?? program }, reading, share);
}

/** The name that a process left. @param {string} folder of the process */
function programOf(folder) {
  const file = path.join(folder, 'program');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/** How much of all processes' recordings each is, 0 to 1. @param {string[]} folders @returns {number[]} */
function sharesOfFolders(folders) {
  const sizeOf = (/** @type {string} */ folder, /** @type {string} */ name) =>
    fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return sharesOf(folders.map((folder) => sizeOf(folder, 'log') + sizeOf(folder, 'region')));
}

/** Loads what reading and writing need, while the program runs. What fails here fails again, and is told, when it ends. */
function warmUp() {
  try {
    loadBinding();
    require('../exporters/cpuprofile');
    require('../exporters/text');
    require('../base/write-pieces');
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_SPPROF_')) throw error;
  }
}

module.exports = { processFolders, readProcess, sharesOfFolders, waitForProcesses, warmUp };
