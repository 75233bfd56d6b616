'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { codeOf, errors, systemReason } = require('../base/errors');

/** `NativeOptions.startedAt` of a recording that the program has not asked for itself. */
const BY_PRELOAD = 'by the spprof command, or its preload';

/**
 * Makes a folder and those above it. (Node's own `recursive` never returns where the kernel answers ENOENT to any name, as in
 * /proc.)
 * @param {string} folder absolute
 */
function makeFolders(folder) {
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && fs.statSync(folder).isDirectory()) return;
    const parent = path.dirname(folder);
    if (codeOf(error) !== 'ENOENT' || fs.existsSync(parent)) throw error;
    makeFolders(parent);
    fs.mkdirSync(folder, { mode: 0o700 });
  }
}

/**
 * Makes a folder for the recording of this process, `<parent>/<pid>-<n>`; `n` counts recordings of one process id.
 * Only the owner may look into it: a recording shows what a program does.
 * @param {string} parent made when missing
 * @returns {string} its absolute path
 * @throws {Error} `ERR_SPPROF_OUTPUT`
 */
function makeRecordingFolder(parent) {
  const folder = path.resolve(parent);
  try {
    makeFolders(folder);
    for (let n = 1; ; n++) {
      const own = path.join(folder, `${process.pid}-${n}`);
      try {
        fs.mkdirSync(own, { mode: 0o700 });
        return own;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw errors.output(folder, systemReason(error));
  }
}

/**
 * Begins a recording in a folder of its own, which goes again if it cannot begin: there is nothing to read in it.
 * @param {string} parent as above
 * @param {(folder: string) => void} begin
 * @returns {string} the folder
 * @throws {Error} `ERR_SPPROF_OUTPUT`, and what `begin` throws
 */
function beginInFolder(parent, begin) {
  const folder = makeRecordingFolder(parent);
  try {
    begin(folder);
    return folder;
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

module.exports = { BY_PRELOAD, makeFolders, beginInFolder };
