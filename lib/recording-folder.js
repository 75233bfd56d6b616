'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { codeOf, errors, systemReason } = require('./errors');

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
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
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

module.exports = { makeRecordingFolder };
