'use strict';

const { errors } = require('../errors');
const { openRecording } = require('./input');

/**
 * The thread that a user names: by its number in the report, its kernel id, its name or its kind.
 * @param {import('../profile').Profile} profile
 * @param {string} wanted
 */
function threadIds({ threads }, wanted) {
  const found = threads.filter(({ id, tid, name, kind }) => [String(id), String(tid), name, kind].includes(wanted));
  if (found.length > 0) return found.map(({ id }) => id);
  const available = threads.map(({ id, name, kind }) => `${id} (${name}, ${kind})`).join(', ') || 'none';
  throw errors.unknownThread(wanted, available);
}

/** @param {import('../profile').Profile} profile */
function jsonOf(profile) {
  const { pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly } = profile;
  const { cpuNs, wallNs, sampleCount, threads, functions, marks, stats } = profile;
  return {
    ...{ pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly },
    ...{ cpuNs, wallNs, sampleCount, threads, functions, marks, stats },
  };
}

/**
 * `spprof report <file>`.
 * @param {import('./arguments').ReportRequest} request
 * @param {import('./run').Io} io
 */
async function report({ file, reading, top, sort, thread, tree, threshold, json }, io) {
  const { profile: whole } = await openRecording(file, { reading, io });
  const profile = thread === null ? whole : whole.filter({ threadIds: threadIds(whole, thread) });
  if (json) io.stdout.write(`${JSON.stringify(jsonOf(profile), null, 2)}\n`);
  else if (tree) io.stdout.write(profile.toTree({ threshold: threshold / 100 }));
  else io.stdout.write(profile.toText({ limit: top, sort, folder: io.cwd() }));
  return 0;
}

module.exports = { report };
