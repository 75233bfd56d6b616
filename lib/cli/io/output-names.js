'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { errors, systemReason } = require('../../base/errors');
const { FORMATS, extensionOf, formatOfFile } = require('../../exporters/formats');
const { ownDescriptor } = require('../../base/replace-file');

/**
 * Names of output files: patterns, their checks before anything is started, and the files of each process and thread.
 *
 * @typedef {import('../../exporters/formats').FormatName} FormatName
 * @typedef {{ pattern: string, format: FormatName, isOwnName?: boolean }} Output `pattern` is an absolute path; `isOwnName`: we have chosen it
 */

/**
 * The outputs that were asked for.
 * @param {import('../arguments').OutputRequest} request
 * @param {string} cwd
 * @returns {Output[]}
 * @throws {Error} `ERR_SPPROF_UNKNOWN_FORMAT`, `ERR_SPPROF_UNAVAILABLE`
 */
function planOutputs({ outputs, format }, cwd) {
  const standard = `spprof.%t.%p${FORMATS[format ?? 'cpuprofile'].extensions[0]}`;
  if (outputs.length === 0) return [{ ...output(standard), isOwnName: true }];
  return outputs.map(output);

  /** @param {string} name @returns {Output} */
  function output(name) {
    if (name !== '-') return { pattern: path.resolve(cwd, name), format: format ?? formatOfFile(name) };
    if (format === null) throw errors.usage('-o - is standard output, whose name says no format; give one with -f');
    return { pattern: '/dev/stdout', format };
  }
}

/** Whether a name asks for a file of each process: it has `%p`. @param {Output} output */
function isForEachProcess({ pattern, isOwnName = false }) {
  return !isOwnName && path.basename(pattern).replace(/%%/g, '').includes('%p');
}

/** The file to which each step of a job of GitHub Actions adds its summary; elsewhere `/`, which is no file. */
function stepSummary() {
  return path.resolve(process.env.GITHUB_STEP_SUMMARY || path.sep);
}

/**
 * @param {string} file
 * @returns {fs.Stats | undefined} undefined: there is none
 * @throws {Error} `ERR_SPPROF_OUTPUT`: there cannot be one (a loop of links, a name that is too long, …)
 */
function statOf(file) {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw errors.output(file, `${systemReason(error)}; choose another with -o`);
  }
}

/**
 * Whether nothing of ours belongs beside an output: a stream, a device, a pipe, or the summary of a step.
 * @param {string} file
 * @throws {Error} `ERR_SPPROF_OUTPUT`
 */
function isStream(file) {
  if (/^\/(dev|proc)\//.test(file) || file === stepSummary()) return true;
  const stat = statOf(file);
  return stat !== undefined && !stat.isFile();
}

/**
 * Makes sure that the outputs can be written.
 * @param {Output[]} outputs
 * @throws {Error} `ERR_SPPROF_OUTPUT`
 */
function checkOutputs(outputs) {
  for (const { pattern } of outputs) {
    // Nothing is created for what is there and no file of its own; a descriptor of this process is open, whoever may open it.
    if (isStream(pattern) && statOf(pattern) !== undefined) {
      if (ownDescriptor(pattern) === null) checkFile(pattern);
      continue;
    }
    const folder = path.dirname(pattern);
    try {
      const stat = fs.statSync(folder);
      if (!stat.isDirectory()) throw errors.output(pattern, `${folder} is not a folder`);
      // A file that is there can be written in place, a mount point of a container for example.
      if (!isWritable(pattern)) fs.accessSync(folder, fs.constants.W_OK);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_SPPROF_OUTPUT') throw error;
      throw errors.output(pattern, `the folder ${folder}: ${systemReason(error)}; make it, or choose another with -o`);
    }
    checkFile(pattern);
  }
}

/** @param {string} file */
function isWritable(file) {
  try {
    fs.accessSync(file, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} file */
function checkFile(file) {
  const stat = statOf(file);
  if (stat === undefined) return;
  if (stat.isDirectory()) throw errors.output(file, 'it is a folder; give the name of a file with -o');
  try {
    fs.accessSync(file, fs.constants.W_OK);
  } catch (error) {
    throw errors.output(file, `${systemReason(error)}; choose another with -o`);
  }
}

/** `20261120T221500`, local time. @param {number} timeMs */
function timeStamp(timeMs) {
  const date = new Date(timeMs);
  const part = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${part(date.getMonth() + 1)}${part(date.getDate())}`;
  return `${day}T${part(date.getHours())}${part(date.getMinutes())}${part(date.getSeconds())}`;
}

/**
 * Puts a word before the extension: `a.cpuprofile` → `a.worker-1.cpuprofile`.
 * @param {string} file
 * @param {string} word
 */
function insertBeforeExtension(file, word) {
  const extension = file.slice(file.length - (extensionOf(file) || path.extname(file)).length);
  return `${file.slice(0, file.length - extension.length)}.${word}${extension}`;
}

/**
 * The name of a file.
 * @param {string} pattern
 * @param {{ pid: number, startTimeMs: number, program: string }} recorded
 */
function expandPattern(pattern, { pid, startTimeMs, program }) {
  const values = /** @type {Record<string, string>} */ ({
    p: String(pid),
    t: timeStamp(startTimeMs),
    n: program.replace(/[^\w.@+-]/g, '_') || 'node',
    '%': '%',
  });
  const folder = path.dirname(pattern);
  const base = path.basename(pattern);
  return path.join(
    folder,
    base.replace(/%([ptn%])/g, (_, key) => values[key]),
  );
}

/**
 * A name that is not in `taken`, and is then: names of one process id get a number (`a.123-2.cpuprofile`). A file of that name, which
 * an earlier run may have left, is not in the way of the name that was asked for; the others leave it alone.
 * @param {string} file
 * @param {Set<string>} taken
 */
function uniqueName(file, taken) {
  const extension = file.slice(file.length - (extensionOf(file) || path.extname(file)).length);
  const base = file.slice(0, file.length - extension.length);
  let name = file;
  for (let n = 2; taken.has(name) || (name !== file && fs.existsSync(name)); n++) name = `${base}-${n}${extension}`;
  taken.add(name);
  return name;
}

module.exports = {
  isForEachProcess,
  isStream,
  stepSummary,
  planOutputs,
  uniqueName,
  checkOutputs,
  expandPattern,
  insertBeforeExtension,
};
