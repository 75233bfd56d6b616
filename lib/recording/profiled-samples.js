'use strict';

const { STATE_GC, STATE_INCOMPLETE, STATE_OFF_CPU, STATE_TRUNCATED } = require('./model');

/**
 * The samples of a recording, one by one, as a program is given them.
 * @param {import('../../binding').NativeRecording} recording
 * @returns {Generator<import('../index').ProfiledSample>}
 */
function* profiledSamples(recording) {
  const { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs, sampleStacks, sampleStates, sampleBlocks } = recording;
  const names = [null, ...recording.blocks.map(({ track, block }) => `${track}/${block}`)];
  for (let i = 0; i < sampleTimes.length; i++) {
    const has = (/** @type {number} */ bit) => (sampleStates[i] & bit) !== 0;
    yield {
      ...{ timeMs: sampleTimes[i] / 1e6, cpuNs: sampleCpuNs[i], wallNs: sampleWallNs[i] },
      ...{ threadId: sampleThreads[i], stackId: sampleStacks[i], block: names[sampleBlocks[i]] },
      ...{ isGc: has(STATE_GC), isTruncated: has(STATE_TRUNCATED) },
      ...{ isIncomplete: has(STATE_INCOMPLETE), isOffCpu: has(STATE_OFF_CPU) },
    };
  }
}

module.exports = { profiledSamples };
