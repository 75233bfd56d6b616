'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { codeOf, errors, systemReason } = require('../base/errors');
const { preloadFile } = require('./preload');

/** What is started, and how. */

const SCRIPT = /\.[cm]?[jt]s$/;

/**
 * The command as it is spawned: a script that stands for itself is run with Node.
 * @param {string[]} command
 * @param {{ execPath: string, cwd(): string }} io
 * @returns {[string, string[]]}
 * @throws {Error} `ERR_SPPROF_COMMAND` when it is a script that does not exist
 */
function resolveCommand([name, ...args], { execPath, cwd }) {
  if (!SCRIPT.test(name)) return [name, args];
  if (fs.existsSync(path.resolve(cwd(), name))) return [execPath, [name, ...args]];
  throw errors.command(name, `no such file in ${cwd()}`);
}

/**
 * `text` as one word of NODE_OPTIONS.
 * @param {string} text
 */
function quoteNodeOption(text) {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/**
 * The environment in which a program records itself, and so do its children. Where the user's own options have a `--require` too,
 * the preload comes first and as one word: of two, some programs (Next.js 15.5) keep the last, and join what stands behind one in a
 * word of its own. Otherwise it is two words: Node.js 6 and 8 know no `--require=<file>`.
 * @param {Record<string, string | undefined>} env
 * @param {Record<string, string>} variables
 * @param {string} [preload]
 */
function recordingEnvironment(env, variables, preload = preloadFile()) {
  const given = env.NODE_OPTIONS?.trim();
  const file = /[\s"\\]/.test(preload) ? quoteNodeOption(preload) : preload;
  if (!given) return { ...env, ...variables, NODE_OPTIONS: `--require ${file}` };
  const isAlone = !/(^|\s)(-r|--require)(\s|=)/.test(given);
  return { ...env, ...variables, NODE_OPTIONS: isAlone ? `${given} --require ${file}` : `--require=${file} ${given}` };
}

/**
 * Why a command could not be started.
 * @param {string} name
 * @param {unknown} error of `spawn`
 * @param {string} cwd
 */
function commandError(name, error, cwd) {
  if (codeOf(error) !== 'ENOENT') return errors.command(name, systemReason(error));
  if (name.includes('/')) return errors.command(name, 'no such file');
  const isHere = fs.existsSync(path.join(cwd, name));
  const help = isHere ? `; did you mean ./${name}?` : '; check its spelling, or give its path';
  return errors.command(name, `it is not in PATH${help}`);
}

/**
 * The program's name for `%n`: a script's without its extension, else the command's.
 * @param {string} text
 */
function programName(text) {
  return path.basename(text).replace(SCRIPT, '');
}

module.exports = { resolveCommand, recordingEnvironment, commandError, programName, quoteNodeOption };
