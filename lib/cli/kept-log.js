'use strict';

const path = require('node:path');
const { extensionOf } = require('../exporters/formats');
const { takesFiles } = require('../base/replace-file');
const { isStream, uniqueName } = require('./io/output-names');
const { keepLogs } = require('./io/write-outputs');

/**
 * Where the log of a recording goes when its folder is removed: beside the first output that is a file.
 *
 * @typedef {import('./io/write-recording').RecordingFile} RecordingFile
 * @typedef {import('./io/write-outputs').ProcessLog} ProcessLog
 */

/** `a/b.cpuprofile` → `a/b.spprof`, `a/b.pb.gz` too. @param {string} file */
function logNameFor(file) {
  return `${file.slice(0, file.length - (extensionOf(file) || path.extname(file)).length)}.spprof`;
}

/**
 * @param {ProcessLog[]} logs
 * @param {string | undefined} beside
 * @param {Set<string>} taken names of this run
 * @returns {Promise<string | null>} null: there is no place for it
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function keepBeside(logs, beside, taken) {
  if (beside === undefined || !(await takesFiles(path.dirname(beside)))) return null;
  const target = uniqueName(logNameFor(beside), taken);
  await keepLogs(logs, target);
  return target;
}

/**
 * One log for all processes, unless there are only files of each.
 * @param {ProcessLog[]} logs by process
 * @param {RecordingFile[]} files that were written
 * @param {Set<string>} taken names of this run
 * @returns {Promise<(string | null)[]>} of each process
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function keepLogFiles(logs, files, taken) {
  const asked = files.filter(({ format }) => format === 'log');
  const ofAll = asked.find(({ isForEach }) => !isForEach);
  if (ofAll !== undefined) return logs.map(() => ofAll.path);
  if (asked.length > 0) return logs.map((_, id) => asked.find(({ processId }) => processId === id)?.path ?? null);
  const real = files.filter(({ path: file }) => !isStream(file));
  const first = real.find(({ isForEach }) => !isForEach);
  if (first !== undefined || real.length === 0) {
    const kept = await keepBeside(logs, first?.path, taken);
    return logs.map(() => kept);
  }
  const kept = [];
  for (const [id, log] of logs.entries())
    kept.push(await keepBeside([log], real.find(({ processId }) => processId === id)?.path, taken));
  return kept;
}

module.exports = { keepLogFiles };
