'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { messageOf } = require('../base/errors');
const { takeNotes } = require('../processes/leave-note');
const { processFolders, programOf, readProcess, waitForProcesses } = require('./collect');
const { extensionOf } = require('../exporters/formats');
const { expandPattern, isStream, uniqueName } = require('./io/output-names');
const { withProgress } = require('./io/progress');
const { findUnrecorded, nothingLine } = require('./unrecorded');
const { sourceMapNotes } = require('./source-map-notes');
const { visible } = require('../base/visible');
const { takesFiles } = require('../base/replace-file');
const { moveLog, writeOutputs } = require('./io/write-outputs');

/**
 * After the program has ended: reads the recordings, writes the outputs, prints the summary.
 *
 * @typedef {import('../profile/profile').Profile} Profile
 * @typedef {import('./summary').ProcessSummary} ProcessSummary
 *
 * @typedef {object} Ended
 * @property {string} folder of the recording
 * @property {Set<string>} ignore what was in it before
 * @property {boolean} keepFolder
 * @property {import('../profile/read-profile').Reading} reading
 * @property {number} firstPid of the command
 * @property {string} program its name, for `%n`
 * @property {string} command as the user gave it
 * @property {string | null} unrecorded why the command is not recorded, or parts of it may not be, where its words say it
 * @property {import('./io/output-names').Output[]} outputs
 * @property {'text' | 'json' | 'none'} summary
 * @property {string | null} summaryFile for the summary as JSON, too
 * @property {boolean} verbose
 * @property {import('./io/signals').End} end
 * @property {import('./run').Io} io
 */

/**
 * The command's own process first, then by the time they started.
 * @param {{ profile: Profile, folder: string }[]} recorded
 * @param {number} firstPid
 */
function inOrder(recorded, firstPid) {
  const rank = (/** @type {Profile} */ profile) => (profile.pid === firstPid ? 0 : 1);
  return recorded.sort((a, b) => rank(a.profile) - rank(b.profile) || a.profile.startTimeMs - b.profile.startTimeMs);
}

/** `a/b.cpuprofile` → `a/b.spprof`, `a/b.pb.gz` too. @param {string} file */
function logNameFor(file) {
  return `${file.slice(0, file.length - (extensionOf(file) || path.extname(file)).length)}.spprof`;
}

/**
 * Writes one process's files.
 * @param {{ profile: Profile, folder: string }} recorded
 * @param {boolean} isFirst
 * @param {Ended} ended
 * @param {Set<string>} taken names of this run: images of one process (execve), or two process namespaces, have one number
 * @returns {Promise<ProcessSummary>}
 */
async function writeProcess({ profile, folder }, isFirst, ended, taken) {
  const { pid, startTimeMs } = profile;
  const program = programOf(folder, ended.program);
  const files = ended.outputs.map(({ pattern, format }) => ({
    file: isStream(pattern)
      ? pattern
      : uniqueName(expandPattern(pattern, { pid, startTimeMs, program, isFirst }), taken),
    format,
  }));
  /** @type {string | null} */
  let log = path.join(folder, 'log');
  const written = await writeOutputs(profile, files, log);
  const asked = files.find(({ format }) => format === 'log');
  if (asked !== undefined) {
    log = asked.file;
  } else if (!ended.keepFolder) {
    const file = files.find((each) => !isStream(each.file))?.file;
    const hasRoomBeside = file !== undefined && (await takesFiles(path.dirname(file)));
    const target = hasRoomBeside ? uniqueName(logNameFor(file), taken) : null;
    if (target !== null) await moveLog(log, target);
    log = target;
  }
  return { profile, program, files: written, log };
}

/**
 * Reads and writes all; what cannot be read or written is told, and its folder stays.
 * @param {Ended} ended
 */
async function processRecordings(ended) {
  const { io } = ended;
  const folders = processFolders(ended.folder, ended.ignore);
  const alive = await waitForProcesses(folders.map(({ folder }) => folder));
  let isComplete = alive.size === 0;
  for (const { folder, pid } of folders.filter((each) => alive.has(each.folder))) {
    io.stderr.write(`spprof: process ${pid} still runs; when it has ended: spprof convert ${folder} -o <file>\n`);
  }
  const missing = [...alive].map((folder) => `process ${path.basename(folder).split('-')[0]}: it still runs`);
  /** @type {{ profile: Profile, folder: string }[]} */
  const recorded = [];
  for (const { folder, pid } of folders.filter((each) => !alive.has(each.folder))) {
    try {
      const profile = await withProgress(
        io,
        `reading the recording of process ${pid}`,
        readProcess(folder, ended.reading),
      );
      recorded.push({ profile, folder });
    } catch (error) {
      isComplete = false;
      missing.push(`process ${pid}: its recording cannot be read`);
      io.stderr.write(`spprof: the recording of process ${pid} in ${folder} cannot be read: ${messageOf(error)}\n`);
    }
  }
  const problems = new Set(recorded.flatMap(({ profile }) => profile.sourceMapProblems));
  const maps = sourceMapNotes([...problems], {
    verbose: ended.verbose,
    quiet: ended.summary !== 'text',
    cwd: io.cwd(),
  });
  /** @type {ProcessSummary[]} */
  const summaries = [];
  const taken = /** @type {Set<string>} */ (new Set());
  for (const [index, each] of inOrder(recorded, ended.firstPid).entries()) {
    try {
      const writing = writeProcess(each, index === 0, ended, taken);
      summaries.push(await withProgress(io, `writing the profile of process ${each.profile.pid}`, writing));
    } catch (error) {
      isComplete = false;
      io.stderr.write(`spprof: ${messageOf(error)}; the recording is kept in ${each.folder}\n`);
    }
  }
  const profiles = recorded.map(({ profile }) => profile);
  return { summaries, profiles, missing, maps, isComplete, wasRecorded: folders.length > 0 };
}

/** @param {string} file absolute @param {string} text @throws (rejects) `ERR_SPPROF_OUTPUT` */
async function writeSummary(file, text) {
  const { writePieces } = require('../base/write-pieces');
  await writePieces(file, [text]);
}

/**
 * @param {Ended} ended
 * @returns {Promise<boolean>} false: something was not written, and stderr says what
 */
async function finish(ended) {
  if (!fs.existsSync(ended.folder)) {
    ended.io.stderr.write(`spprof: the recording is lost: its folder ${ended.folder} has been removed meanwhile\n`);
    return false;
  }
  const { summaries, profiles, missing, maps, isComplete, wasRecorded } = await processRecordings(ended);
  const { command, end, io, summary } = ended;
  const notes = [...missing, ...takeNotes(ended.folder, ended.ignore)];
  const unrecorded = findUnrecorded({ notes, profiles, cpuNs: end.cpuNs, known: ended.unrecorded });
  if (isComplete && !ended.keepFolder) fs.rmSync(ended.folder, { recursive: true });
  const { summaryJson, summaryText } = require('./summary');
  if (!wasRecorded) io.stderr.write(`spprof: ${visible(nothingLine(command, unrecorded))}\n`);
  if (ended.summaryFile !== null)
    await writeSummary(ended.summaryFile, summaryJson(summaries, end, unrecorded, ended.reading.view));
  if (!wasRecorded) return isComplete;
  const settings = { cwd: io.cwd(), hasEngine: ended.verbose, maps };
  if (summary === 'text') io.stderr.write(summaryText(summaries, settings, unrecorded));
  else io.stderr.write(maps);
  if (summary === 'json') io.stderr.write(summaryJson(summaries, end, unrecorded, ended.reading.view));
  return isComplete;
}

module.exports = { finish };
