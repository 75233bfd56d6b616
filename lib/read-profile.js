'use strict';

const fs = require('node:fs');
const { errors, systemReason } = require('./errors');
const { loadBinding } = require('./binding');
const { OPTIONS } = require('./options');

/** How a recording is made a profile: the options that matter then. @typedef {Pick<import('./options').Options, 'sourceMaps' | 'maxMemory'>} Reading */

/**
 * Reads a finished recording; documented in `index.d.ts`.
 * @param {string} file
 * @param {Partial<Reading>} [settings]
 * @returns {Promise<import('./profile').Profile>}
 */
async function readProfile(file, { sourceMaps, maxMemory = Number(OPTIONS.maxMemory.default) } = {}) {
  if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file or folder');
  try {
    await fs.promises.access(file, fs.constants.R_OK);
  } catch (error) {
    throw errors.input(file, systemReason(error));
  }
  const { Profile } = require('./profile');
  const { importFile, isOwnLog } = require('./importers/read-file');
  if (!fs.statSync(file).isDirectory() && !isOwnLog(file)) {
    return new Profile(importFile(file));
  }
  const recording = await loadBinding().readRecording(file, maxMemory * 2 ** 20);
  return Profile.of(recording, { sourceMaps });
}

module.exports = { readProfile };
