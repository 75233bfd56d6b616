'use strict';

const fs = require('node:fs');
const { errors, messageOf } = require('../base/errors');
const { loadBinding } = require('../native/binding');
const { logsInSet } = require('../native/log-set');
const { OPTIONS } = require('../options/options');

/**
 * Reads recordings.
 *
 * @typedef {import('./profile').Profile} Profile
 * @typedef {Pick<import('../options/options').Options, 'sourceMaps' | 'sources' | 'maxMemory' | 'view'>} Reading how a recording is made a
 *   profile: the options that matter then
 * @typedef {{ file: string, program?: string, offset?: number, length?: number }} Log of one process: a file, or a part of one, or the folder
 *   that it lies in
 */

/** A process has so much at least, MB. */
const LEAST_MEMORY = 1;

/** The process that used the most CPU time first. @param {Profile} a @param {Profile} b */
function busiestFirst(a, b) {
  return b.cpuNs - a.cpuNs || a.startTimeMs - b.startTimeMs || a.pid - b.pid;
}

/** How much of all each is, 0 to 1: what it gets of the memory. @param {number[]} sizes @returns {number[]} */
function sharesOf(sizes) {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.map((size) => (all > 0 ? size / all : 1));
}

/** @param {number} [maxMemory] MB @param {number} [share] of it, 0 to 1 @returns {number} bytes */
function memoryOf(maxMemory = Number(OPTIONS.maxMemory.default), share = 1) {
  return Math.max(LEAST_MEMORY, maxMemory * share) * 2 ** 20;
}

/**
 * @param {Log} log
 * @param {Partial<Reading>} settings
 * @param {number} [share] of the memory
 * @returns {Promise<Profile>}
 * @throws (rejects) `ERR_SPPROF_BAD_RECORDING`, `ERR_SPPROF_SYSTEM`
 */
async function readLog({ file, program, offset, length }, { sourceMaps, sources, view, maxMemory }, share) {
  const { Profile } = require('./profile');
  const packed = await loadBinding().readRecording(file, memoryOf(maxMemory, share), offset, length);
  return Profile.of(packed, { sourceMaps, sources, view, program });
}

/**
 * The logs of several processes as one profile, the memory shared out by their sizes. One that cannot be read hides no other: a warning
 * of the profile says so.
 * @param {Log[]} logs one or more
 * @param {Partial<Reading>} settings
 * @returns {Promise<Profile>}
 * @throws (rejects) as `readLog`, where none can be read
 */
async function readLogs(logs, settings) {
  if (logs.length === 1) return readLog(logs[0], settings);
  const { Profile } = require('./profile');
  const shares = sharesOf(logs.map(({ file, length }) => length ?? fs.statSync(file).size));
  /** @type {Profile[]} */
  const profiles = [];
  /** @type {unknown[]} */
  const failures = [];
  for (const [i, log] of logs.entries()) {
    try {
      profiles.push(await readLog(log, settings, shares[i]));
    } catch (error) {
      failures.push(error);
    }
  }
  if (profiles.length === 0) throw failures[0];
  const warnings = failures.map((error) => `the recording of one process cannot be read: ${messageOf(error)}`);
  return Profile.ofProcesses(profiles.sort(busiestFirst), warnings);
}

/**
 * @param {import('../importers/source').Source} source
 * @param {Partial<Reading>} settings
 * @returns {Promise<Profile>}
 */
async function readSource(source, settings) {
  const { Profile } = require('./profile');
  const { isOwnLog } = require('../importers/source');
  const ofLog = async (/** @type {string} */ file) =>
    readLogs(source.isSet ? logsInSet(file).map((place) => ({ file, ...place })) : [{ file }], settings);
  if (source.isFolder) return ofLog(source.name);
  if (await source.holdsLog()) return ofLog(await source.logFile());
  const bytes = await source.content(memoryOf(settings.maxMemory));
  if (isOwnLog(bytes)) return ofLog(source.keepLog(bytes));
  const { importContent } = require('../importers/read-content');
  // Another profiler's file may name any file of this machine as a script.
  return new Profile(importContent(bytes, source.name), { view: settings.view, sources: null });
}

/**
 * Reads a finished recording; documented in `index.d.ts`.
 * @param {string} file
 * @param {Partial<Reading>} [settings]
 * @returns {Promise<Profile>}
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

module.exports = { busiestFirst, readLog, readProfile, readSource, sharesOf };
