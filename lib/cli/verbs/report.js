'use strict';

const { errors } = require('../../base/errors');
const { paint } = require('../io/colors');
const { openRecording } = require('../io/input');

/**
 * The thread that a user names: by its number in the report, its kernel id, its name or its kind.
 * @param {import('../../profile/profile').Profile} profile
 * @param {string} wanted
 */
function threadIds({ threads }, wanted) {
  const found = threads.filter(({ id, tid, name, kind }) => [String(id), String(tid), name, kind].includes(wanted));
  if (found.length > 0) return found.map(({ id }) => id);
  const available = threads.map(({ id, name, kind }) => `${id} (${name}, ${kind})`).join(', ') || 'none';
  throw errors.unknownThread(wanted, available);
}

/**
 * @param {import('../../profile/profile').Profile} profile
 * @param {string} wanted
 */
function processIds({ processes }, wanted) {
  const found = processes.filter(({ pid, name }) => [String(pid), name].includes(wanted));
  if (found.length > 0) return found.map(({ id }) => id);
  throw errors.unknownProcess(wanted, processes.map(({ name, pid }) => `${name} ${pid}`).join(', '));
}

/** The head of the table stands out. @param {string} text @param {import('../run').Io} io */
function withBoldHead(text, io) {
  return text.replace(/^ +(?:self +self (?:ms|kB|count)|total +self) .*$/m, (head) =>
    paint(io.stdout, io.env, 'bold', head),
  );
}

/** @param {import('../../profile/profile').Profile} profile @param {import('../../options/options').View} view */
function jsonOf(profile, view) {
  const { pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly } = profile;
  const { measure, cpuNs, wallNs, sampleCount, processes, threads, categories, marks, stats } = profile;
  const { functions } = profile.inView(view);
  return {
    ...{ pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly },
    ...{
      measure,
      cpuNs,
      wallNs,
      sampleCount,
      processes,
      threads,
      view,
      categories,
      functions,
      advice: profile.advice(),
      marks,
      stats,
    },
  };
}

/**
 * `spprof report <file>`.
 * @param {import('../arguments').ReportRequest} request
 * @param {import('../run').Io} io
 */
async function report({ file, reading, top, sort, process, thread, tree, threshold, engine, json }, io) {
  const { profile: all } = await openRecording(file, { reading, io });
  const whole = process === null ? all : all.filter({ processIds: processIds(all, process) });
  const profile = thread === null ? whole : whole.filter({ threadIds: threadIds(whole, thread) });
  if (json) io.stdout.write(`${JSON.stringify(jsonOf(profile, reading.view ?? 'program'), null, 2)}\n`);
  else if (tree) io.stdout.write(withBoldHead(profile.toTree({ threshold: threshold / 100 }), io));
  else
    io.stdout.write(
      withBoldHead(profile.toText({ limit: top, sort, folder: io.cwd(), hasEngine: engine || reading.verbose }), io),
    );
  return 0;
}

module.exports = { report };
