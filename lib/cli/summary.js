'use strict';

const { FORMATS } = require('../exporters/formats');
const { formatCount, formatNs, plural } = require('../base/units');
const { visible } = require('../base/visible');
const { signalName } = require('./io/signals');
const { unrecordedLine } = require('./unrecorded');

/**
 * What is printed when a recording is done.
 *
 * @typedef {import('../profile/profile').Profile} Profile
 * @typedef {{ profile: Profile, program: string, files: import('./io/write-outputs').WrittenFile[], log: string | null }} ProcessSummary
 *   `log`: null where all outputs are streams
 */

/** Lines of the whole summary; with `--verbose` there may be more. */
const LINES = 20;
/** Functions in the table, at most and at least. */
const MOST_FUNCTIONS = 10;
const LEAST_FUNCTIONS = 3;
/** Lines of the table beside its functions, and of a process beside its table and its files. */
const TABLE_HEAD = 1;
const OWN_LINES = 2;

/** @param {ProcessSummary} summary @returns {{ path: string, hint: string }[]} */
function filesOf({ files, log }) {
  const all = files.map(({ path, format }, index) => {
    const isFirstOfFormat = files.findIndex((file) => file.format === format) === index;
    return { path, hint: isFirstOfFormat ? `   (${FORMATS[format].hint})` : '' };
  });
  if (log !== null && !files.some(({ path }) => path === log))
    all.push({ path: log, hint: `   (${FORMATS.log.hint})` });
  return all;
}

/** @param {string[]} lines @param {number} most at least 1 @param {(count: number) => string} more what is said of the rest */
function upTo(lines, most, more) {
  if (lines.length <= most) return lines;
  const shown = Math.max(0, most - 1);
  return [...lines.slice(0, shown), more(lines.length - shown)];
}

/** A process that is not the busiest: where its files are. @param {ProcessSummary} summary */
function otherLine(summary) {
  const { profile, program } = summary;
  const paths = filesOf(summary).map(({ path }) => path);
  const where = paths.length > 0 ? `: ${paths.join(', ')}` : '';
  const count = `${plural(profile.sampleCount, 'sample')}, ${formatNs(profile.cpuNs)} of CPU time`;
  return `spprof: ${program}, process ${profile.pid}: ${count}${where}`;
}

/**
 * The process that used the most CPU time comes first, with its categories and functions; then where the others' files are; then
 * what a person must know.
 * @param {ProcessSummary[]} summaries
 * @param {{ cwd: string, hasEngine: boolean, maps: string }} settings paths below `cwd` are shown relative to it, except those of the
 *   files; `maps`: lines about source maps that cannot be used
 * @param {import('./unrecorded').Unrecorded} unrecorded
 */
function summaryText(summaries, { cwd, hasEngine, maps }, unrecorded) {
  const [busiest, ...others] = [...summaries].sort((a, b) => b.profile.cpuNs - a.profile.cpuNs);
  const missing = unrecordedLine(unrecorded);
  const last = [...maps.split('\n').filter(Boolean), ...(missing === '' ? [] : [`spprof: ${missing}`])];
  if (busiest === undefined) return last.map((line) => `${visible(line)}\n`).join('');
  const { profile, program } = busiest;
  const { categories, table, head, health, engine } = profile.summaryParts({
    ...{ limit: MOST_FUNCTIONS, folder: cwd, hasEngine },
  });
  const fixed = OWN_LINES + TABLE_HEAD + last.length;
  const room = Math.max(0, LINES - fixed - LEAST_FUNCTIONS);
  const notes = upTo(health, Math.max(1, Math.floor(room / 3)), (count) => `and ${count} more notes (spprof report)`);
  const files = upTo(
    filesOf(busiest).map(({ path, hint }) => `  ${path}${hint}`),
    Math.max(1, room - notes.length - (others.length > 0 ? 1 : 0)),
    (count) => `  and ${plural(count, 'file')} more beside these`,
  );
  const rest = upTo(
    others.map(otherLine),
    Math.max(1, room - notes.length - files.length),
    (count) => `spprof: and ${formatCount(count)} more processes, with files beside these`,
  );
  const rows = LINES - fixed - notes.length - files.length - rest.length;
  const lines = [
    `spprof: ${program}: ${categories}`,
    ...table.slice(0, TABLE_HEAD + Math.max(LEAST_FUNCTIONS, rows)),
    ...files,
    ...rest,
    `spprof: ${program}, ${head}`,
    ...(hasEngine ? health : notes),
    ...engine,
    ...last,
  ];
  return lines.map((line) => `${visible(line)}\n`).join('');
}

/**
 * @param {ProcessSummary[]} summaries
 * @param {import('./io/signals').End} end
 * @param {import('./unrecorded').Unrecorded} unrecorded
 * @param {import('../options/options').View | null} view
 */
function summaryJson(summaries, { code, signal }, unrecorded, view) {
  const ending = signal === 0 ? { exitCode: code, signal: null } : { exitCode: null, signal: signalName(signal) };
  const { cpuNs: unrecordedNs, programCpuNs: cpuNs, reasons } = unrecorded;
  const processes = summaries.map(({ profile, program, files, log }) => {
    const shown = profile.inView(view ?? 'program');
    const { pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly } = profile;
    return {
      ...{ pid, program, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly },
      ...{ cpuNs: profile.cpuNs, sampleCount: profile.sampleCount, files, log },
      ...{ categories: profile.categories, functions: shown.functions.slice(0, MOST_FUNCTIONS) },
      ...{ threads: profile.threads, stats: profile.stats },
    };
  });
  return `${JSON.stringify({ ...ending, ...{ cpuNs, unrecorded: { cpuNs: unrecordedNs, reasons } }, processes })}\n`;
}

module.exports = { summaryText, summaryJson };
