'use strict';

const { errors } = require('../base/errors');
const { loadBinding } = require('../native/binding');
const { OPTIONS } = require('../options/options');

/** How a recording is made a profile: the options that matter then. @typedef {Pick<import('../options/options').Options, 'sourceMaps' | 'sources' | 'maxMemory' | 'view'>} Reading */

/**
 * @param {import('../importers/source').Source} source
 * @param {Partial<Reading>} settings
 * @returns {Promise<import('./profile').Profile>}
 */
async function readSource(source, { sourceMaps, sources, view, maxMemory = Number(OPTIONS.maxMemory.default) }) {
  const { Profile } = require('./profile');
  const { isOwnLog } = require('../importers/source');
  const limit = maxMemory * 2 ** 20;
  const ofLog = async (/** @type {string} */ file) =>
    Profile.of(await loadBinding().readRecording(file, limit), { sourceMaps, sources, view });
  if (source.isFolder) return ofLog(source.name);
  if (await source.holdsLog()) return ofLog(await source.logFile());
  const bytes = await source.content(limit);
  if (isOwnLog(bytes)) return ofLog(source.keepLog(bytes));
  const { importContent } = require('../importers/read-content');
  // Another profiler's file may name any file of this machine as a script.
  return new Profile(importContent(bytes, source.name), { view, sources: null });
}

/**
 * Reads a finished recording; documented in `index.d.ts`.
 * @param {string} file
 * @param {Partial<Reading>} [settings]
 * @returns {Promise<import('./profile').Profile>}
 */
async function readProfile(file, settings = {}) {
  if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file or folder');
  const { Source } = require('../importers/source');
  const source = await Source.open(file);
  try {
    return await readSource(source, settings);
  } finally {
    source.close();
  }
}

module.exports = { readProfile, readSource };
