'use strict';

const { FORMATS } = require('../exporters/formats');
const { formatNs, plural } = require('../base/units');
const { visible } = require('../base/visible');
const { signalName } = require('./io/signals');
const { unrecordedLine } = require('./unrecorded');

/**
 * What is printed when a recording is done.
 *
 * @typedef {import('../profile/profile').Profile} Profile
 *
 * @typedef {object} RecordingSummary of all processes of a command, or of those of one mode
 * @property {Profile} profile
 * @property {string} program
 * @property {import('./io/write-recording').RecordingFile[]} files
 * @property {(string | null)[]} logs of each process; null where all outputs are streams
 * @property {ReturnType<typeof processDetails>[]} details of each process, for the summary as JSON
 */

/** Lines of the whole summary; with `--verbose` there may be more. */
const LINES = 20;
/** Functions in the table, at most and at least. */
const MOST_FUNCTIONS = 10;
const LEAST_FUNCTIONS = 3;
/** Lines of the table beside its functions, and of a process beside its table and its files. */
const TABLE_HEAD = 1;
const OWN_LINES = 2;

/** The files, and the logs that are none of them. @param {RecordingSummary} summary @returns {{ path: string, hint: string }[]} */
function filesOf({ files, logs }) {
  const all = files.map(({ path, format }, index) => {
    const isFirstOfFormat = files.findIndex((file) => file.format === format) === index;
    return { path, hint: isFirstOfFormat ? `   (${FORMATS[format].hint})` : '' };
  });
  for (const log of new Set(logs)) {
    if (log !== null && !all.some(({ path }) => path === log))
      all.push({ path: log, hint: `   (${FORMATS.log.hint})` });
  }
  return all;
}

/** @param {string[]} lines @param {number} most at least 1 @param {(count: number) => string} more what is said of the rest */
function upTo(lines, most, more) {
  if (lines.length <= most) return lines;
  const shown = Math.max(0, most - 1);
  return [...lines.slice(0, shown), more(lines.length - shown)];
}

/** Processes that were recorded in another mode: where their files are. @param {RecordingSummary} summary */
function otherLine(summary) {
  const { profile, program } = summary;
  const paths = filesOf(summary).map(({ path }) => path);
  const where = paths.length > 0 ? `: ${paths.join(', ')}` : '';
  const count = `${plural(profile.sampleCount, 'sample')}, ${formatNs(profile.wallNs)} of ${profile.mode} time`;
  return `spprof: ${program}, ${plural(profile.processes.length, 'process', 'processes')}: ${count}${where}`;
}

/**
 * The categories and the functions of all processes; then where the files are; then what a person must know.
 * @param {RecordingSummary[]} summaries the one with the busiest process first
 * @param {{ cwd: string, hasEngine: boolean, maps: string }} settings paths below `cwd` are shown relative to it, except those of the
 *   files; `maps`: lines about source maps that cannot be used
 * @param {import('./unrecorded').Unrecorded} unrecorded
 */
function summaryText(summaries, { cwd, hasEngine, maps }, unrecorded) {
  const [first, ...others] = summaries;
  const missing = unrecordedLine(unrecorded);
  const last = [...maps.split('\n').filter(Boolean), ...(missing === '' ? [] : [`spprof: ${missing}`])];
  if (first === undefined) return last.map((line) => `${visible(line)}\n`).join('');
  const { profile, program } = first;
  const { categories, table, head, processes, health, engine } = profile.summaryParts({
    ...{ limit: MOST_FUNCTIONS, folder: cwd, hasEngine },
  });
  const fixed = OWN_LINES + TABLE_HEAD + processes.length + last.length;
  const room = Math.max(0, LINES - fixed - LEAST_FUNCTIONS);
  const notes = upTo(health, Math.max(1, Math.floor(room / 3)), (count) => `and ${count} more notes (spprof report)`);
  const files = upTo(
    filesOf(first).map(({ path, hint }) => `  ${path}${hint}`),
    Math.max(1, room - notes.length - (others.length > 0 ? 1 : 0)),
    (count) => `  and ${plural(count, 'file')} more beside these`,
  );
  const rest = upTo(
    others.map(otherLine),
    Math.max(1, room - notes.length - files.length),
    (count) => `spprof: and ${plural(count, 'recording')} more, with files beside these`,
  );
  const rows = LINES - fixed - notes.length - files.length - rest.length;
  const lines = [
    `spprof: ${program}: ${categories}`,
    ...table.slice(0, TABLE_HEAD + Math.max(LEAST_FUNCTIONS, rows)),
    ...files,
    ...rest,
    `spprof: ${program}, ${head}`,
    ...processes,
    ...(hasEngine ? health : notes),
    ...engine,
    ...last,
  ];
  return lines.map((line) => `${visible(line)}\n`).join('');
}

/**
 * What the summary as JSON says of one process.
 * @param {Profile} profile of that process alone
 * @param {import('../options/options').View | null} view
 */
function processDetails(profile, view) {
  const { categories, stats } = profile;
  const { intervalUs, mode, timer, nodeVersion, stoppedCleanly, startTimeMs, durationNs } = profile;
  const functions = profile.inView(view ?? 'program').functions.slice(0, MOST_FUNCTIONS);
  return {
    ...{ startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly },
    ...{ categories, functions, stats },
  };
}

/** Processes with their files, those of all included. @param {RecordingSummary} summary */
function processesJson({ profile, files, logs, details }) {
  return profile.processes.map(({ id, pid, name, cpuNs, sampleCount }) => ({
    ...{ pid, program: name, cpuNs, sampleCount },
    files: files
      .filter(({ processId }) => processId === null || processId === id)
      .map(({ path, format, threadId }) => ({ path, format, threadId })),
    log: logs[id],
    ...details[id],
    threads: profile.threads.filter(({ processId }) => processId === id),
  }));
}

/**
 * @param {RecordingSummary[]} summaries
 * @param {import('./io/signals').End} end
 * @param {import('./unrecorded').Unrecorded} unrecorded
 */
function summaryJson(summaries, { code, signal }, unrecorded) {
  const ending = signal === 0 ? { exitCode: code, signal: null } : { exitCode: null, signal: signalName(signal) };
  const { cpuNs: unrecordedNs, programCpuNs: cpuNs, reasons } = unrecorded;
  const processes = summaries.flatMap(processesJson);
  return `${JSON.stringify({ ...ending, ...{ cpuNs, unrecorded: { cpuNs: unrecordedNs, reasons } }, processes })}\n`;
}

module.exports = { processDetails, summaryText, summaryJson };
