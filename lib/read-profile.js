'use strict';

const fs = require('node:fs');
const { errors, systemReason } = require('./errors');
const { loadBinding } = require('./binding');

/**
 * Reads a finished recording; documented in `index.d.ts`.
 * @param {string} file
 * @param {{ sourceMaps?: boolean }} [settings]
 * @returns {Promise<import('./profile').Profile>}
 */
async function readProfile(file, { sourceMaps } = {}) {
  if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file or folder');
  try {
    await fs.promises.access(file, fs.constants.R_OK);
  } catch (error) {
    throw errors.input(file, systemReason(error));
  }
  const recording = await loadBinding().readRecording(file);
  const { Profile } = require('./profile');
  return new Profile(recording, { sourceMaps });
}

module.exports = { readProfile };
