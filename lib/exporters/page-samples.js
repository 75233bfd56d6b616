'use strict';

/**
 * The samples that a page carries: those of one thread, one step of time, one block, one owner and the same stacks are one. They are the
 * same in both views. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** Steps of time, at most. */
const BUCKETS = 2000;
/** Samples that a page carries; with more, its steps of time are made longer. */
const MOST_SAMPLES = 1_000_000;

class SampleColumns {
  /** @type {number[]} */ threads = [];
  /** @type {number[]} */ buckets = [];
  /** @type {number[]} */ blocks = [];
  /** @type {number[]} */ owners = [];
  /** @type {number[]} */ cpuNs = [];
  /** @type {number[]} */ wallNs = [];
  /** Of each view the sample's node. @type {number[][]} */
  stacks;

  /** @param {number} views */
  constructor(views) {
    this.stacks = Array.from({ length: views }, () => []);
  }
}

/**
 * @param {Recording} recording
 * @param {number[][]} stacks of each view, by sample
 * @param {number[]} owners by sample
 * @param {number} bucketCount
 */
function sumIn(
  { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs, sampleBlocks, durationNs },
  stacks,
  owners,
  bucketCount,
) {
  const sums = new SampleColumns(stacks.length);
  /** Those of the present thread and step. @type {Map<string, number>} */
  let known = new Map();
  let thread = -1;
  let bucket = -1;
  const scale = bucketCount / Math.max(durationNs, 1);
  for (let i = 0; i < sampleTimes.length; i++) {
    const at = Math.min(bucketCount - 1, Math.floor(sampleTimes[i] * scale));
    if (at !== bucket || sampleThreads[i] !== thread) {
      thread = sampleThreads[i];
      bucket = at;
      known = new Map();
    }
    const key = `${stacks.map((each) => each[i])},${sampleBlocks[i]},${owners[i]}`;
    const sum = known.get(key);
    if (sum !== undefined) {
      sums.cpuNs[sum] += sampleCpuNs[i];
      sums.wallNs[sum] += sampleWallNs[i];
      continue;
    }
    known.set(key, sums.threads.push(thread) - 1);
    sums.buckets.push(bucket);
    sums.blocks.push(sampleBlocks[i]);
    sums.owners.push(owners[i]);
    sums.cpuNs.push(sampleCpuNs[i]);
    sums.wallNs.push(sampleWallNs[i]);
    stacks.forEach((each, view) => {
      sums.stacks[view].push(each[i]);
    });
  }
  return sums;
}

/**
 * @param {Recording} recording
 * @param {number[][]} stacks of each view, by sample
 * @param {number[]} owners by sample
 * @returns {{ samples: SampleColumns, bucketCount: number }}
 */
function sumSamples(recording, stacks, owners) {
  let bucketCount = Math.max(1, Math.min(BUCKETS, Math.ceil(recording.durationNs / 1e6)));
  let samples = sumIn(recording, stacks, owners, bucketCount);
  while (samples.threads.length > MOST_SAMPLES && bucketCount > 1) {
    bucketCount = Math.ceil(bucketCount / 4);
    samples = sumIn(recording, stacks, owners, bucketCount);
  }
  return { samples, bucketCount };
}

module.exports = { sumSamples };
