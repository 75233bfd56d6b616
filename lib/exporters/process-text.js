'use strict';

const { formatCount, formatPercent, plural } = require('../base/units');
const { hasProcesses, processName, processesOf, processesWithSums } = require('../recording/recorded-processes');

/**
 * Which processes a recording holds, in words.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** `process 7`, or `3 processes`. @param {Recording} recording */
function processesText(recording) {
  const all = processesOf(recording);
  return all.length === 1 ? `process ${all[0].pid}` : plural(all.length, 'process', 'processes');
}

/** Processes that are named; the rest is summed up. */
const PROCESSES = 4;

/** What each of several processes used, the most first; none for one. @param {Recording} recording @param {number} ns of all samples */
function processLines(recording, ns) {
  if (!hasProcesses(recording)) return [];
  const isWall = recording.mode === 'wall';
  const all = processesWithSums(recording)
    .map((process) => ({ process, ns: isWall ? process.wallNs : process.cpuNs }))
    .sort((a, b) => b.ns - a.ns);
  const named = all.slice(0, all.length === PROCESSES + 1 ? PROCESSES + 1 : PROCESSES);
  const rest = all.slice(named.length);
  const texts = named.map(({ process, ns: own }) => `${processName(process)} ${formatPercent(own, ns)}`);
  const others = rest.reduce((sum, { ns: own }) => sum + own, 0);
  if (rest.length > 0) texts.push(`${formatCount(rest.length)} more ${formatPercent(others, ns)}`);
  return [`processes ${texts.join(', ')}`];
}

module.exports = { processLines, processesText };
