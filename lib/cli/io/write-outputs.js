'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { codeOf, errors, systemReason } = require('../../base/errors');
const { FORMATS } = require('../../exporters/formats');
const { renameSynced, replaceFile } = require('../../base/replace-file');
const { insertBeforeExtension, isStream, stepSummary } = require('./output-names');

/**
 * Writes one recording to its files.
 *
 * @typedef {import('../../profile/profile').Profile} Profile
 * @typedef {{ path: string, format: import('../../exporters/formats').FormatName, threadId: number | null }} WrittenFile
 */

/**
 * A file for each thread that runs JavaScript: the main thread's has the name itself, a worker's has `.worker-<k>`
 * before the extension, k counting the workers that were sampled. Threads of other kinds have none.
 * @param {Profile} profile
 * @param {string} file
 */
function threadFiles(profile, file) {
  const workers = profile.threads.filter(({ kind, sampleCount }) => kind === 'worker' && sampleCount > 0);
  return [
    { threadId: profile.threads.find(({ kind }) => kind === 'main')?.id ?? null, path: file },
    ...workers.map(({ id }, k) => ({ threadId: id, path: insertBeforeExtension(file, `worker-${k + 1}`) })),
  ];
}

/**
 * @param {Profile} profile
 * @param {{ file: string, format: import('../../exporters/formats').FormatName }[]} outputs
 * @param {string | null} log the recording's log, for outputs of that format
 * @returns {Promise<WrittenFile[]>}
 * @throws (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writeOutputs(profile, outputs, log) {
  /** @type {WrittenFile[]} */
  const written = [];
  for (const { file, format } of outputs) {
    if (format === 'log') {
      if (log === null) throw errors.output(file, 'only a recording of spprof has a log');
      await copyLog(log, file);
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

/** @param {string} log @param {string} file */
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

/**
 * Moves a log out of a folder that is to be removed.
 * @param {string} log
 * @param {string} file
 */
async function moveLog(log, file) {
  try {
    await renameSynced(log, file);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw errors.output(file, systemReason(error));
    await copyLog(log, file);
  }
}

module.exports = { writeOutputs, moveLog, threadFiles };
