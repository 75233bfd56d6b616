'use strict';

const { errors } = require('../base/errors');
const { STATE_GC } = require('../recording/model');
const { processName, processesOf } = require('../recording/recorded-processes');
const { blocksWithin } = require('../recording/sample-blocks');

/**
 * Which samples `filter()` keeps.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {{ processIds?: number[], threadIds?: number[], fromMs?: number, toMs?: number, isGc?: boolean, block?: string,
 *   track?: string }} Choice
 */

/** @param {Recording} recording @param {number[]} wanted @throws {RangeError} `ERR_SPPROF_UNKNOWN_PROCESS` */
function checkProcesses(recording, wanted) {
  const processes = processesOf(recording);
  const stranger = wanted.find((id) => processes[id] === undefined);
  if (stranger === undefined) return;
  const available = processes.map((process, id) => `${id} (${processName(process)})`).join(', ');
  throw errors.unknownProcess(stranger, available);
}

/** The ids of the threads that are asked for; null: all. @param {Recording} recording @param {Choice} which */
function chosenThreads({ threads }, { processIds, threadIds }) {
  if (threadIds === undefined && processIds === undefined) return null;
  const chosen = threads.filter(
    ({ id, processId = 0 }) => (threadIds?.includes(id) ?? true) && (processIds?.includes(processId) ?? true),
  );
  return new Set(chosen.map(({ id }) => id));
}

/**
 * @param {Recording} recording
 * @param {Choice} which
 * @returns {(index: number) => boolean} whether a sample is kept
 */
function chosenSamples(recording, which) {
  const { processIds = [], fromMs = -Infinity, toMs = Infinity, isGc, block, track } = which;
  checkProcesses(recording, processIds);
  const { sampleThreads, sampleTimes, sampleStates, sampleBlocks } = recording;
  const wanted = chosenThreads(recording, which);
  const isInBlock = block === undefined && track === undefined ? null : blocksWithin(recording, block, track);
  return (i) => {
    const timeMs = sampleTimes[i] / 1e6;
    if (timeMs < fromMs || timeMs >= toMs || (wanted !== null && !wanted.has(sampleThreads[i]))) return false;
    if (isInBlock !== null && !isInBlock[sampleBlocks[i]]) return false;
    return isGc === undefined || ((sampleStates[i] & STATE_GC) !== 0) === isGc;
  };
}

module.exports = { chosenSamples };
