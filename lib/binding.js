'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { errors, codeOf, messageOf } = require('./errors');

/** @typedef {typeof import('../binding')} Binding */

const ROOT = path.join(__dirname, '..');

/** Where the addon may be: built here, or brought along. */
const CANDIDATES = [
  path.join(ROOT, 'build', 'Release', 'spprof.node'),
  path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`, 'spprof.node'),
];

/** @type {Binding | null} */
let loaded = null;

/**
 * The addon's file.
 * @returns {string}
 * @throws {Error} `ERR_SPPROF_NO_BINDING` when it has not been built
 */
function findBinding() {
  const file = CANDIDATES.find((candidate) => fs.existsSync(candidate));
  if (file !== undefined) return file;
  throw errors.noBinding(`no spprof.node for ${process.platform}-${process.arch}`);
}

/**
 * Loads the addon, once.
 * @returns {Binding}
 * @throws {Error} `ERR_SPPROF_NO_BINDING` when it has not been built, or does not load on this system
 */
function loadBinding() {
  if (loaded !== null) return loaded;
  const file = findBinding();
  try {
    loaded = /** @type {Binding} */ (require(file));
  } catch (error) {
    throw errors.noBinding(`${file}: ${codeOf(error) || 'failed'}: ${messageOf(error)}`);
  }
  return loaded;
}

module.exports = { findBinding, loadBinding };
