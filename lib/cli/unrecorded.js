'use strict';

const { formatNs, plural } = require('../base/units');

/**
 * What the program used and no recording holds. The kernel counts the CPU time of the program and of all that it started and waited
 * for; the recordings say how much of it is theirs.
 *
 * @typedef {{ pid: number, stats: import('../index').Stats, cpuNs: number }} Recorded a process; `cpuNs`: of its samples
 * @typedef {{ cpuNs: number | null, programCpuNs: number | null, processes: number, reasons: string[] }} Unrecorded nanoseconds
 *   (null: not known), and how many processes were recorded, whether their files could be written or not
 */

/** Each Node.js needs some before it records, and at its end. */
const START_NS = 150e6;
/** Less than that is not worth a line. */
const SHARE = 0.05;
const MOST_REASONS = 3;

const UNKNOWN =
  'processes that did not load spprof used it: other programs, or Node.js that is older than 18 or does not have the NODE_OPTIONS of spprof';

/** Recordings that end before their process does. */
const EARLY_ENDS = /** @type {Record<string, string>} */ ({
  duration: 'the recording ended before the program, as --duration asks for',
  signal: 'its recording ended when the signal came that was to end it',
  lost: 'its recording was lost (a warning says how)',
});

/** CPU time of a process since its recording began. @param {Recorded} process */
function recordedNs({ stats, cpuNs }) {
  return Math.max(stats.cpuNs, cpuNs);
}

/**
 * @param {object} run
 * @param {string[]} run.notes of processes that were not recorded, or whose recordings are missing here
 * @param {Recorded[]} run.processes
 * @param {number | null | undefined} run.cpuNs of the program and of all below it
 * @param {string | null} run.known why the command as a whole may not be recorded
 * @returns {Unrecorded}
 */
function findUnrecorded({ notes, processes, cpuNs = null, known }) {
  const reasons = new Set(known === null ? notes : [known, ...notes]);
  for (const { pid, stats } of processes) {
    const early = EARLY_ENDS[stats.shutdown?.reason ?? ''];
    if (early !== undefined) reasons.add(stats.shutdown?.reason === 'duration' ? early : `process ${pid}: ${early}`);
  }
  const recorded = processes.reduce((sum, process) => sum + recordedNs(process), 0);
  const rest = cpuNs === null ? null : Math.max(0, cpuNs - recorded);
  return { cpuNs: rest, programCpuNs: cpuNs, processes: processes.length, reasons: [...reasons] };
}

/** @param {string[]} reasons */
function reasonText(reasons) {
  if (reasons.length === 0) return UNKNOWN;
  const more = reasons.length > MOST_REASONS ? `; and ${plural(reasons.length - MOST_REASONS, 'more reason')}` : '';
  return reasons.slice(0, MOST_REASONS).join('; ') + more;
}

/**
 * The line for a person; '': what is missing is not worth one.
 * @param {Unrecorded} unrecorded
 */
function unrecordedLine({ cpuNs, programCpuNs, processes, reasons }) {
  if (cpuNs === null || programCpuNs === null) return '';
  if (cpuNs < START_NS * processes || cpuNs < SHARE * programCpuNs) return '';
  return `${formatNs(cpuNs)} of ${formatNs(programCpuNs)} of CPU time was not recorded: ${reasonText(reasons)}`;
}

/**
 * The line where nothing was recorded at all.
 * @param {string} command
 * @param {Unrecorded} unrecorded
 */
function nothingLine(command, { programCpuNs, reasons }) {
  const used = programCpuNs === null ? '' : ` (${formatNs(programCpuNs)} of CPU time)`;
  const none =
    'no process of it loaded spprof, as Node.js of version 18 or newer does that has the NODE_OPTIONS of spprof, ' +
    'or it could not write into the folder of the recording (--dir names another)';
  return `nothing was recorded of ${JSON.stringify(command)}${used}: ${reasons.length > 0 ? reasonText(reasons) : none}`;
}

module.exports = { findUnrecorded, nothingLine, unrecordedLine };
