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
 * @typedef {{ profile: Profile, program: string, files: import('./io/write-outputs').WrittenFile[], log: string | null }} ProcessSummary
 *   `log`: null where all outputs are streams
 */

/** Functions in the table; processes with a table of their own. */
const FUNCTIONS = 10;
const TABLES = 5;

/** @param {ProcessSummary} summary */
function fileLines({ files, log }) {
  const lines = files.map(({ path, format }, index) => {
    const isFirstOfFormat = files.findIndex((file) => file.format === format) === index;
    return `  ${path}${isFirstOfFormat ? `   (${FORMATS[format].hint})` : ''}`;
  });
  if (log !== null && !files.some(({ path }) => path === log)) lines.push(`  ${log}   (${FORMATS.log.hint})`);
  return lines;
}

/**
 * @param {ProcessSummary[]} summaries
 * @param {string} cwd paths below it are shown relative to it, except those of the files
 * @param {import('./unrecorded').Unrecorded} unrecorded
 */
function summaryText(summaries, cwd, unrecorded) {
  const byCpu = [...summaries].sort((a, b) => b.profile.cpuNs - a.profile.cpuNs);
  const withTable = new Set(byCpu.slice(0, TABLES));
  const lines = summaries.flatMap((summary) => {
    const { profile, program } = summary;
    const report = withTable.has(summary)
      ? profile.toText({ limit: FUNCTIONS, folder: cwd }).trimEnd().split('\n')
      : [`process ${profile.pid}: ${plural(profile.sampleCount, 'sample')}, ${formatNs(profile.cpuNs)} of CPU time`];
    return ['', `spprof: ${program}, ${report[0]}`, ...fileLines(summary), ...report.slice(1)];
  });
  const missing = unrecordedLine(unrecorded);
  if (missing !== '') lines.push('', `spprof: ${missing}`);
  return lines.map((line) => `${visible(line)}\n`).join('');
}

/**
 * @param {ProcessSummary[]} summaries
 * @param {import('./io/signals').End} end
 * @param {import('./unrecorded').Unrecorded} unrecorded
 */
function summaryJson(summaries, { code, signal }, unrecorded) {
  const ending = signal === 0 ? { exitCode: code, signal: null } : { exitCode: null, signal: signalName(signal) };
  const { cpuNs: unrecordedNs, programCpuNs: cpuNs, reasons } = unrecorded;
  const processes = summaries.map(({ profile, program, files, log }) => {
    const { pid, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly } = profile;
    return {
      ...{ pid, program, startTimeMs, durationNs, intervalUs, mode, timer, nodeVersion, stoppedCleanly },
      ...{ cpuNs: profile.cpuNs, sampleCount: profile.sampleCount, files, log },
      ...{ threads: profile.threads, functions: profile.functions.slice(0, FUNCTIONS), stats: profile.stats },
    };
  });
  return `${JSON.stringify({ ...ending, ...{ cpuNs, unrecorded: { cpuNs: unrecordedNs, reasons } }, processes })}\n`;
}

module.exports = { summaryText, summaryJson };
