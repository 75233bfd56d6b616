'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { loadBinding } = require('../../native/binding');
const { errors, systemReason } = require('../../base/errors');
const { processFolders } = require('../collect');
const { withProgress } = require('./progress');
const { sourceMapNotes } = require('../source-map-notes');

/** The recordings that a user names: a log, another profiler's file, a process's folder, or a folder of those. */

/**
 * @param {string} file
 * @returns {fs.Stats}
 */
function statOf(file) {
  try {
    return fs.statSync(file);
  } catch (error) {
    throw errors.input(file, systemReason(error));
  }
}

/** Whether a folder is a process's. @param {string} folder */
function isProcessFolder(folder) {
  return ['region', 'log'].some((name) => fs.existsSync(path.join(folder, name)));
}

/**
 * The processes' folders in a folder that may be one itself.
 * @param {string} folder
 * @throws {Error} `ERR_SPPROF_INPUT`
 */
function foldersIn(folder) {
  if (!statOf(folder).isDirectory()) throw errors.input(folder, 'it is not a folder');
  const folders = isProcessFolder(folder) ? [folder] : processFolders(folder).map((each) => each.folder);
  if (folders.length === 0) throw errors.input(folder, 'there is no recording in it');
  return folders;
}

/**
 * The recording that a path names; a folder of several processes is one. A region left by a dead process is drained into its log first.
 * @param {string} file
 * @param {{ reading: import('../arguments').Reading, io: import('../run').Io }} settings
 * @returns {Promise<{ profile: import('../../profile/profile').Profile, logs: import('./write-outputs').ProcessLog[] | null }>} no logs: it
 *   is another profiler's; they are in the order of the processes, or one holds all
 * @throws (rejects) `ERR_SPPROF_INPUT`, `ERR_SPPROF_BAD_RECORDING`
 */
async function openRecording(file, { reading, io }) {
  const opened = await withProgress(io, `reading ${file}`, openAs(file, reading));
  const { sourceMapProblems } = opened.profile;
  io.stderr.write(sourceMapNotes(sourceMapProblems, { verbose: reading.verbose, cwd: io.cwd() }));
  return opened;
}

/**
 * @param {string} file `-` is standard input
 * @param {import('../../profile/read-profile').Reading} reading
 */
async function openAs(file, reading) {
  const { Source } = require('../../importers/source');
  const { readSource } = require('../../profile/read-profile');
  const source = await Source.open(file === '-' ? '/dev/stdin' : path.resolve(file));
  // A log that came through a pipe is a file for as long as the command runs: outputs may copy it.
  process.once('exit', () => source.close());
  if (source.isFolder) return openFolders(foldersIn(source.name), reading);
  const profile = await readSource(source, reading);
  return { profile, logs: source.log === null ? null : [{ program: profile.processes[0].name, log: source.log }] };
}

/** @param {string[]} folders of processes @param {import('../../profile/read-profile').Reading} reading */
async function openFolders(folders, reading) {
  const { readProcess, sharesOfFolders } = require('../collect');
  const { busiestFirst } = require('../../profile/read-profile');
  const { Profile } = require('../../profile/profile');
  folders.forEach(checkEnded);
  const shares = sharesOfFolders(folders);
  const read = [];
  for (const [i, folder] of folders.entries()) {
    const profile = await readProcess(folder, reading, { share: shares[i] });
    read.push({ profile, log: path.join(folder, 'log') });
  }
  read.sort((a, b) => busiestFirst(a.profile, b.profile));
  return {
    profile: Profile.ofProcesses(read.map(({ profile }) => profile)),
    logs: read.map(({ profile, log }) => ({ program: profile.processes[0].name, log })),
  };
}

/**
 * @param {string} folder of a process
 * @throws {Error} `ERR_SPPROF_INPUT` while the process runs
 */
function checkEnded(folder) {
  if (loadBinding().processState(folder) !== 'alive') return;
  const [pid] = path.basename(folder).split('-');
  throw errors.input(folder, `process ${pid} still runs; try again when it has ended`);
}

module.exports = { openRecording, foldersIn, checkEnded };
