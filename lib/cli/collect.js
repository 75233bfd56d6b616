'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { loadBinding } = require('../binding');
const { codeOf } = require('../errors');
const { Profile } = require('../profile');

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

/** Whether a process runs: exists, and is not a zombie. @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // ESRCH; EPERM would be another user's process that got the number since
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return !fs.existsSync('/proc/self'); // gone between the two looks, or a system without /proc
  }
}

/**
 * Waits for processes to end, but not for long: a daemon never does.
 * @param {number[]} pids
 * @returns {Promise<Set<number>>} those that still run
 */
async function waitForProcesses(pids) {
  const deadline = performance.now() + GRACE_MS;
  let alive = pids.filter(isAlive);
  while (alive.length > 0 && performance.now() < deadline) {
    await delay(POLL_MS);
    alive = alive.filter(isAlive);
  }
  return new Set(alive);
}

/**
 * Finishes a dead process's log and reads it.
 * @param {string} folder of the process
 * @param {import('../read-profile').Reading} reading
 * @returns {Promise<Profile>}
 * @throws (rejects) `ERR_SPPROF_BAD_RECORDING`, `ERR_SPPROF_SYSTEM`
 */
async function readProcess(folder, { sourceMaps, maxMemory }) {
  const binding = loadBinding();
  if (fs.existsSync(path.join(folder, 'region'))) await binding.recover(folder);
  return Profile.of(await binding.readRecording(folder, maxMemory * 2 ** 20), { sourceMaps });
}

/**
 * The name that a process left, or the fallback.
 * @param {string} folder of the process
 * @param {string} fallback
 */
function programOf(folder, fallback) {
  const file = path.join(folder, 'program');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : fallback;
}

/** Loads what reading and writing need, while the program runs. What fails here fails again, and is told, when it ends. */
function warmUp() {
  try {
    loadBinding();
    require('../exporters/cpuprofile');
    require('../exporters/text');
    require('../write-pieces');
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_SPPROF_')) throw error;
  }
}

module.exports = { warmUp, processFolders, waitForProcesses, readProcess, programOf, isAlive };
