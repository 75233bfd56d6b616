'use strict';

const { publicFrame } = require('../recording/frames');
const { unpackFrames } = require('../native/unpack');

/**
 * Batches of samples as a program gets them: stacks and threads are told with the first batch that needs them, frames are
 * made once and shared by all stacks that have them.
 *
 * @typedef {import('../index').SampleBatch} SampleBatch
 * @typedef {import('../index').StackFrame} StackFrame
 */

/** Batches that wait for a slow consumer; later ones are dropped, and counted in the next that it gets. */
const QUEUE_LENGTH = 64;

/** Puts batches of the binding into the form of the public ones. */
class BatchReader {
  /** @type {StackFrame[]} */
  #frames = [];

  /** @param {import('../../binding').NativeBatch} native @returns {SampleBatch} */
  read(native) {
    for (const frame of unpackFrames(native.frames)) this.#frames.push(publicFrame(frame));
    const { times, cpuTimes, wallTimes, stackIds, threadIds, states, blockIds } = native;
    const threads = native.threads.map(({ id, tid, name, kind }) => ({ id, tid, name, kind }));
    const blocks = native.blocks.map(({ profiler, track, block, parent }, i) => ({
      ...{ id: native.firstBlock + i + 1, profiler, track, block, parentId: parent },
    }));
    const news = { stacks: [...this.#stacks(native)], threads, endedThreads: [...native.endedThreads], blocks };
    return { times, cpuTimes, wallTimes, stackIds, threadIds, states, blockIds, ...news, dropped: 0 };
  }

  /** @param {import('../../binding').NativeBatch} native */
  *#stacks({ newStackIds, newStackLengths, newStackFrames }) {
    let at = 0;
    for (let i = 0; i < newStackIds.length; i++) {
      const end = at + newStackLengths[i];
      yield {
        id: newStackIds[i],
        frames: Array.from(newStackFrames.subarray(at, end), (frame) => this.#frames[frame]),
      };
      at = end;
    }
  }
}

/**
 * A queue between batches that come and a consumer that asks for them one at a time. A full one drops samples, but no
 * definition: the stacks and threads of a dropped batch come with the next one.
 * @implements {AsyncIterableIterator<SampleBatch>}
 */
class BatchQueue {
  /** @type {SampleBatch[]} */
  #batches = [];
  /** @type {((result: IteratorResult<SampleBatch>) => void)[]} */
  #askers = [];
  #isEnded = false;
  #dropped = 0;
  /** @type {SampleBatch['stacks']} */
  #stacks = [];
  /** @type {SampleBatch['threads']} */
  #threads = [];
  /** @type {SampleBatch['endedThreads']} */
  #endedThreads = [];
  /** @type {SampleBatch['blocks']} */
  #blocks = [];
  #onReturn;
  #onWaiting;

  /**
   * @param {() => void} onReturn the consumer wants no more
   * @param {(isWaiting: boolean) => void} [onWaiting] the consumer begins to wait for a batch, or has got it
   */
  constructor(onReturn, onWaiting = () => {}) {
    this.#onReturn = onReturn;
    this.#onWaiting = onWaiting;
  }

  /** Of a recording that is over. */
  static ended() {
    const queue = new BatchQueue(() => {});
    queue.end();
    return queue;
  }

  /** @param {SampleBatch} batch */
  push(batch) {
    if (this.#isEnded) return;
    if (this.#batches.length >= QUEUE_LENGTH) {
      this.#dropped += batch.times.length;
      this.#stacks.push(...batch.stacks);
      this.#keepThreads(batch);
      this.#blocks.push(...batch.blocks);
      return;
    }
    const own = {
      ...batch,
      stacks: [...this.#stacks, ...batch.stacks],
      threads: [...this.#threads, ...batch.threads],
      endedThreads: [...this.#endedThreads, ...batch.endedThreads],
      blocks: [...this.#blocks, ...batch.blocks],
      dropped: this.#dropped,
    };
    this.#dropped = 0;
    this.#stacks = [];
    this.#threads = [];
    this.#endedThreads = [];
    this.#blocks = [];
    const asker = this.#askers.shift();
    if (asker === undefined) {
      this.#batches.push(own);
      return;
    }
    if (this.#askers.length === 0) this.#onWaiting(false);
    asker({ value: own, done: false });
  }

  /**
   * Those that have come and gone while nothing was read are no news: the consumer has no sample of them.
   * @param {SampleBatch} batch
   */
  #keepThreads({ threads, endedThreads }) {
    this.#threads.push(...threads);
    const ended = new Set(endedThreads);
    const isUntold = new Set(this.#threads.filter(({ id }) => ended.has(id)).map(({ id }) => id));
    this.#threads = this.#threads.filter(({ id }) => !isUntold.has(id));
    this.#endedThreads.push(...endedThreads.filter((id) => !isUntold.has(id)));
  }

  end() {
    this.#isEnded = true;
    if (this.#askers.length > 0) this.#onWaiting(false);
    for (const asker of this.#askers.splice(0)) asker({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<SampleBatch>>} */
  next() {
    const value = this.#batches.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      if (this.#askers.push(resolve) === 1) this.#onWaiting(true);
    });
  }

  /** @returns {Promise<IteratorResult<SampleBatch>>} */
  return() {
    this.#batches = [];
    this.end();
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { BatchReader, BatchQueue, QUEUE_LENGTH };
