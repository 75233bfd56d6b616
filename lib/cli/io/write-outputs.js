'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { codeOf, errors, systemReason } = require('../../base/errors');
const { FORMATS } = require('../../exporters/formats');
const { renameSynced, replaceFile } = require('../../base/replace-file');
const { writeLogSet } = require('../../native/log-set');
const { insertBeforeExtension, isStream, stepSummary, uniqueName } = require('./output-names');

/**
 * Writes one recording to its files.
 *
 * @typedef {import('../../profile/profile').Profile} Profile
 * @typedef {{ program: string, log: string }} ProcessLog a file, which may be one of several logs already
 * @typedef {{ path: string, format: import('../../exporters/formats').FormatName, threadId: number | null }} WrittenFile
 */

/** Share of the CPU time from which on a thread that is not the first has a file of its own. */
const OWN_FILE_SHARE = 0.01;

/**
 * The files of a format that holds one thread: the main thread of the first process has the name itself, and each further thread that
 * runs JavaScript and used more than 1 % of the CPU time a name with its process and thread: `a.7.main.cpuprofile`,
 * `a.7.worker-2.cpuprofile`, the second of the process's workers that were sampled.
 * @param {Profile} profile
 * @param {string} file
 */
function threadFiles(profile, file) {
  const sampled = profile.threads.filter(({ kind, sampleCount }) => kind !== 'native' && sampleCount > 0);
  const first = profile.threads.find(({ kind, processId }) => kind === 'main' && processId === 0);
  /** @type {Map<number, number>} */
  const workers = new Map();
  const others = sampled.map((thread) => {
    const { id, kind, processId, cpuNs } = thread;
    const number = (workers.get(processId) ?? 0) + (kind === 'worker' ? 1 : 0);
    workers.set(processId, number);
    const word = kind === 'worker' ? `worker-${number}` : 'main';
    return { id, cpuNs, word: `${profile.processes[processId].pid}.${word}` };
  });
  const taken = new Set([file]);
  return [
    { threadId: first?.id ?? null, path: file },
    ...others
      .filter(({ id, cpuNs }) => id !== first?.id && cpuNs > OWN_FILE_SHARE * profile.cpuNs)
      .map(({ id, word }) => ({ threadId: id, path: uniqueName(insertBeforeExtension(file, word), taken) })),
  ];
}

/**
 * @param {Profile} profile
 * @param {{ file: string, format: import('../../exporters/formats').FormatName }[]} outputs
 * @param {ProcessLog[] | null} logs of its processes, for outputs of that format; null: it is another profiler's
 * @returns {Promise<WrittenFile[]>}
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writeOutputs(profile, outputs, logs) {
  /** @type {WrittenFile[]} */
  const written = [];
  for (const { file, format } of outputs) {
    if (format === 'log') {
      if (logs === null) throw errors.output(file, 'only a recording of spprof has a log');
      await copyLogs(logs, file);
      written.push({ path: file, format, threadId: null });
      continue;
    }
    const all = FORMATS[format].isPerThread ? threadFiles(profile, file) : [{ threadId: null, path: file }];
    const targets = isStream(file) ? all.slice(0, 1) : all;
    for (const target of targets) {
      if (format === 'markdown' && file === stepSummary()) await appendReport(profile, file);
      else await profile.write(target.path, { format, threadId: target.threadId ?? undefined });
      written.push({ ...target, format });
    }
  }
  return written;
}

/** Earlier steps have written there. @param {Profile} profile @param {string} file @throws (rejects) `ERR_SPPROF_OUTPUT` */
async function appendReport(profile, file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-summary-')); // 0700
  try {
    const report = await profile.write(path.join(folder, 'report.md'));
    fs.appendFileSync(file, fs.readFileSync(report));
  } catch (error) {
    throw errors.output(file, systemReason(error));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} log @param {string} file @throws (rejects) `ERR_SPPROF_OUTPUT` */
async function copyLog(log, file) {
  if (path.resolve(log) === path.resolve(file)) return;
  try {
    await replaceFile(file, async (write) => {
      for await (const chunk of fs.createReadStream(log)) await write(chunk);
    });
  } catch (error) {
    throw errors.output(file, systemReason(error));
  }
}

/** Several logs as one file. @param {ProcessLog[]} logs @param {string} file @throws (rejects) `ERR_SPPROF_OUTPUT` */
async function copyLogs(logs, file) {
  if (logs.length === 1) return copyLog(logs[0].log, file);
  try {
    await writeLogSet(file, logs);
  } catch (error) {
    throw errors.output(file, systemReason(error));
  }
}

/**
 * Keeps logs of a folder that is to be removed: one is moved, several become one file.
 * @param {ProcessLog[]} logs
 * @param {string} file
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function keepLogs(logs, file) {
  if (logs.length > 1) return copyLogs(logs, file);
  try {
    await renameSynced(logs[0].log, file);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw errors.output(file, systemReason(error));
    await copyLog(logs[0].log, file);
  }
}

module.exports = { copyLogs, keepLogs, threadFiles, writeOutputs };
