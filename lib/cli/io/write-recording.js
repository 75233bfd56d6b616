'use strict';

const { expandPattern, insertBeforeExtension, isForEachProcess, isStream, uniqueName } = require('./output-names');
const { writeOutputs } = require('./write-outputs');

/**
 * The files of a recording of one process or of several: one for all of them, or, where its name has `%p`, one for each.
 *
 * @typedef {import('../../profile/profile').Profile} Profile
 * @typedef {import('./output-names').Output} Output
 * @typedef {import('./write-outputs').ProcessLog} ProcessLog
 * @typedef {import('./write-outputs').WrittenFile & { processId: number | null, isForEach: boolean }} RecordingFile `processId`: null
 *   where it holds all; `isForEach`: one of each process was asked for
 *
 * @typedef {object} Recorded
 * @property {Profile} profile
 * @property {ProcessLog[] | null} logs by process; null: it is another profiler's. One alone may hold all of them.
 * @property {string} program for `%n`
 * @property {number} pid for `%p` in a name that we have chosen
 * @property {(processId: number) => { part: Profile, firstThread: number }} partOf one of several processes; `firstThread`: by how much the
 *   ids of its threads are larger in the whole
 */

/**
 * @param {Recorded} recorded
 * @param {Output[]} outputs
 * @param {{ taken: Set<string>, suffix?: string }} names `taken`: of this run; `suffix`: a word before the extensions
 * @returns {Promise<RecordingFile[]>}
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writeRecording({ profile, logs, program, pid, partOf }, outputs, { taken, suffix }) {
  /** @param {Output} output @param {{ pid: number, startTimeMs: number, program: string }} values */
  const fileOf = ({ pattern }, values) => {
    if (isStream(pattern)) return pattern;
    const name = expandPattern(pattern, values);
    return uniqueName(suffix === undefined ? name : insertBeforeExtension(name, suffix), taken);
  };
  /** @type {RecordingFile[]} */
  const written = [];
  for (const output of outputs) {
    const { format } = output;
    if (!isForEachProcess(output)) {
      const file = fileOf(output, { pid, startTimeMs: profile.startTimeMs, program });
      const files = await writeOutputs(profile, [{ file, format }], logs);
      written.push(
        ...files.map((each) => ({ ...each, processId: processOf(profile, each.threadId), isForEach: false })),
      );
      continue;
    }
    const count = profile.processes.length;
    for (const { id, pid: own, startTimeMs, name } of profile.processes) {
      const file = fileOf(output, { pid: own, startTimeMs, program: name });
      const { part, firstThread } = partOf(id);
      const files = await writeOutputs(part, [{ file, format }], logsOf(logs, id, count));
      const inWhole = (/** @type {number | null} */ threadId) => (threadId === null ? null : threadId + firstThread);
      written.push(
        ...files.map((each) => ({ ...each, threadId: inWhole(each.threadId), processId: id, isForEach: true })),
      );
    }
  }
  return written;
}

/** @param {Profile} profile @param {number | null} threadId */
function processOf({ threads }, threadId) {
  return threads.find(({ id }) => id === threadId)?.processId ?? null;
}

/** The log of one process; where one file holds those of all, it is not taken apart. @param {ProcessLog[] | null} logs @param {number} id @param {number} count */
function logsOf(logs, id, count) {
  return logs === null || logs.length < count ? logs : [logs[id]];
}

module.exports = { writeRecording };
