'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { messageOf } = require('../base/errors');
const { takeNotes } = require('../processes/leave-note');
const { Profile } = require('../profile/profile');
const { busiestFirst } = require('../profile/read-profile');
const { processFolders, readProcess, sharesOfFolders, waitForProcesses } = require('./collect');
const { isForEachProcess } = require('./io/output-names');
const { withProgress } = require('./io/progress');
const { writeRecording } = require('./io/write-recording');
const { keepLogFiles } = require('./kept-log');
const { plural } = require('../base/units');
const { findUnrecorded, nothingLine } = require('./unrecorded');
const { sourceMapNotes } = require('./source-map-notes');
const { visible } = require('../base/visible');

/**
 * After the program has ended: reads the recordings of its processes, writes the outputs, prints the summary.
 *
 * @typedef {import('./summary').RecordingSummary} RecordingSummary
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
 *
 * @typedef {{ profile: Profile, folder: string }} ReadProcess
 */

/**
 * Those of one mode belong together; it is one mode, unless a program has chosen its own for those that it starts.
 * @param {ReadProcess[]} recorded the busiest first
 * @returns {ReadProcess[][]} one group a mode, that of the busiest first
 */
function byMode(recorded) {
  const modes = [...new Set(recorded.map(({ profile }) => profile.mode))];
  return modes.map((mode) => recorded.filter(({ profile }) => profile.mode === mode));
}

/**
 * Writes the files of processes of one mode.
 * @param {ReadProcess[]} group the busiest first
 * @param {Ended} ended
 * @param {{ taken: Set<string>, suffix?: string }} names
 * @returns {Promise<RecordingSummary>}
 */
async function writeGroup(group, ended, names) {
  const { firstPid, program, outputs, keepFolder, io } = ended;
  const { processDetails } = require('./summary');
  const profiles = group.map(({ profile }) => profile);
  const hasJson = ended.summary === 'json' || ended.summaryFile !== null;
  const details = hasJson ? profiles.map((each) => processDetails(each, ended.reading.view)) : [];
  const profile = Profile.ofProcesses(profiles);
  // Those are let go of where one file holds all: the memory is needed twice otherwise.
  const parts = outputs.some(isForEachProcess) ? profiles : [];
  const logs = group.map(({ folder }, i) => ({
    program: profiles[i].processes[0].name,
    log: path.join(folder, 'log'),
  }));
  for (const each of group) each.profile = profile;
  const isAlone = group.length === 1;
  const recorded = {
    ...{ profile, logs, program: isAlone ? logs[0].program : program, pid: isAlone ? profile.pid : firstPid },
    partOf: (/** @type {number} */ id) => ({ part: parts[id], firstThread: firstThread(profile, parts[id], id) }),
  };
  const what = `writing the profile of ${plural(group.length, 'process', 'processes')}`;
  const files = await withProgress(io, what, writeRecording(recorded, outputs, names));
  const kept = keepFolder ? keptInFolder(logs, ended) : await keepLogFiles(logs, files, names.taken);
  return { profile, program: recorded.program, files, logs: kept, details };
}

/** Threads of a process are numbered in one row. @param {Profile} whole @param {Profile} part @param {number} id of the process */
function firstThread(whole, part, id) {
  const first = whole.threads.find(({ processId }) => processId === id);
  return first === undefined ? 0 : first.id - part.threads[0].id;
}

/** Logs that stay where they are, and the folder where that is one recording. @param {{ log: string }[]} logs @param {Ended} ended */
function keptInFolder(logs, { folder, ignore }) {
  return logs.map(({ log }) => (logs.length > 1 && ignore.size === 0 ? folder : log));
}

/**
 * Reads what can be read; what cannot is told, and its folder stays.
 * @param {Ended} ended
 */
async function readRecordings(ended) {
  const { io } = ended;
  const folders = processFolders(ended.folder, ended.ignore);
  const alive = await waitForProcesses(folders.map(({ folder }) => folder));
  for (const { folder, pid } of folders.filter((each) => alive.has(each.folder))) {
    io.stderr.write(`spprof: process ${pid} still runs; when it has ended: spprof convert ${folder} -o <file>\n`);
  }
  const missing = [...alive].map((folder) => `process ${path.basename(folder).split('-')[0]}: it still runs`);
  /** @type {ReadProcess[]} */
  const recorded = [];
  const dead = folders.filter((each) => !alive.has(each.folder));
  const shares = sharesOfFolders(dead.map(({ folder }) => folder));
  for (const [i, { folder, pid }] of dead.entries()) {
    try {
      const settings = { share: shares[i], program: ended.program };
      const what = `reading the recording of process ${pid}, ${i + 1} of ${dead.length}`;
      recorded.push({ profile: await withProgress(io, what, readProcess(folder, ended.reading, settings)), folder });
    } catch (error) {
      missing.push(`process ${pid}: its recording cannot be read`);
      io.stderr.write(`spprof: the recording of process ${pid} in ${folder} cannot be read: ${messageOf(error)}\n`);
    }
  }
  recorded.sort((a, b) => busiestFirst(a.profile, b.profile));
  return { recorded, missing, wasRecorded: folders.length > 0 };
}

/**
 * @param {ReadProcess[]} recorded
 * @param {Ended} ended
 */
async function writeRecordings(recorded, ended) {
  /** @type {RecordingSummary[]} */
  const summaries = [];
  const taken = /** @type {Set<string>} */ (new Set());
  let isComplete = true;
  for (const [index, group] of byMode(recorded).entries()) {
    try {
      const suffix = index === 0 ? undefined : group[0].profile.mode;
      summaries.push(await writeGroup(group, ended, { taken, suffix }));
    } catch (error) {
      isComplete = false;
      const [first, ...others] = group.map(({ folder }) => folder);
      const where = others.length > 0 ? ended.folder : first;
      ended.io.stderr.write(`spprof: ${messageOf(error)}; the recording is kept in ${where}\n`);
    }
  }
  return { summaries, isComplete };
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
  const { command, end, io, summary } = ended;
  if (!fs.existsSync(ended.folder)) {
    io.stderr.write(`spprof: the recording is lost: its folder ${ended.folder} has been removed meanwhile\n`);
    return false;
  }
  const { recorded, missing, wasRecorded } = await readRecordings(ended);
  // Before they are one: what each process says of its end.
  const processes = recorded.map(({ profile: { pid, stats, cpuNs } }) => ({ pid, stats, cpuNs }));
  const problems = [...new Set(recorded.flatMap(({ profile }) => profile.sourceMapProblems))];
  const maps = sourceMapNotes(problems, { verbose: ended.verbose, quiet: summary !== 'text', cwd: io.cwd() });
  const { summaries, isComplete: areWritten } = await writeRecordings(recorded, ended);
  const isComplete = areWritten && missing.length === 0;
  const notes = [...missing, ...takeNotes(ended.folder, ended.ignore)];
  const unrecorded = findUnrecorded({ notes, processes, cpuNs: end.cpuNs, known: ended.unrecorded });
  if (isComplete && !ended.keepFolder) fs.rmSync(ended.folder, { recursive: true });
  const { summaryJson, summaryText } = require('./summary');
  if (!wasRecorded) io.stderr.write(`spprof: ${visible(nothingLine(command, unrecorded))}\n`);
  const json = () => summaryJson(summaries, end, unrecorded);
  if (ended.summaryFile !== null) await writeSummary(ended.summaryFile, json());
  if (!wasRecorded) return isComplete;
  const settings = { cwd: io.cwd(), hasEngine: ended.verbose, maps };
  if (summary === 'text') io.stderr.write(summaryText(summaries, settings, unrecorded));
  else io.stderr.write(maps);
  if (summary === 'json') io.stderr.write(json());
  return isComplete;
}

module.exports = { finish };
