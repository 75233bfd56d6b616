'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { errors, codeOf, messageOf } = require('../base/errors');
const { unsupportedLibc, unsupportedReason } = require('./support');

/** @typedef {typeof import('../../binding')} Binding */

const ROOT = path.join(__dirname, '..', '..');

/** Where the addon may be, the first that loads is used: built here, or brought along. */
const CANDIDATES = [
  path.join(ROOT, 'build', 'Release', 'spprof.node'),
  path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`, 'spprof.node'),
];

/** @type {{ binding: Binding, file: string } | null} */
let loaded = null;

/**
 * Loads the addon, once.
 * @throws {Error} `ERR_SPPROF_UNSUPPORTED`: not on this system; `ERR_SPPROF_NO_BINDING`: there is none, or none loads
 */
function load() {
  if (loaded !== null) return loaded;
  const reason = unsupportedReason();
  if (reason !== null) throw errors.unsupported(reason);
  /** @type {string[]} */
  const problems = [];
  for (const file of CANDIDATES.filter((candidate) => fs.existsSync(candidate))) {
    try {
      loaded = { binding: /** @type {Binding} */ (require(file)), file };
      return loaded;
    } catch (error) {
      problems.push(`${file}: ${codeOf(error) || 'failed'}: ${messageOf(error)}`);
    }
  }
  const libc = unsupportedLibc();
  if (libc !== null) throw errors.unsupported(libc);
  throw errors.noBinding(problems.join('; ') || `there is no spprof.node beside ${__dirname}`);
}

/**
 * The native part.
 * @returns {Binding}
 * @throws {Error} as `load`
 */
function loadBinding() {
  return load().binding;
}

/**
 * The addon's file, which is not loaded: the command itself seldom needs it before the program runs.
 * @returns {string} the first that is there
 * @throws {Error} as `load`
 */
function findBinding() {
  if (loaded !== null) return loaded.file;
  const reason = unsupportedReason();
  if (reason !== null) throw errors.unsupported(reason);
  return CANDIDATES.find((candidate) => fs.existsSync(candidate)) ?? load().file;
}

module.exports = { findBinding, loadBinding };
