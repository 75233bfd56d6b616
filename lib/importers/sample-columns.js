'use strict';

const { Malformed } = require('./malformed');

/**
 * Samples as growing columns: a text of 500 MB can hold twenty million, which as objects would not fit into Node's heap.
 */

/** ns, or of another unit: values add up to no more than this, so that every format can hold their sum (int64). */
const MOST = 4e18;

const FIRST_CAPACITY = 1024;

/** @template {Uint32Array | Float64Array | Uint8Array} Column @param {Column} column @returns {Column} twice as long */
function grown(column) {
  const Kind = /** @type {new (length: number) => Column} */ (column.constructor);
  const longer = new Kind(column.length * 2);
  longer.set(column);
  return longer;
}

class SampleColumns {
  count = 0;
  threads = new Uint32Array(FIRST_CAPACITY);
  times = new Float64Array(FIRST_CAPACITY);
  cpu = new Float64Array(FIRST_CAPACITY);
  wall = new Float64Array(FIRST_CAPACITY);
  stacks = new Uint32Array(FIRST_CAPACITY);
  states = new Uint8Array(FIRST_CAPACITY);
  #sum = 0;
  #isOrdered = true;

  /** @param {{ thread: number, timeNs: number, cpuNs: number, wallNs: number, stack: number, state: number }} sample */
  add({ thread, timeNs, cpuNs, wallNs, stack, state }) {
    const at = this.count;
    this.#sum += Math.abs(cpuNs) + Math.abs(wallNs);
    // Written so that NaN is refused too.
    if (!(this.#sum <= MOST && Math.abs(timeNs) <= MOST)) {
      throw new Malformed(`sample ${at + 1}`, 'its time, or the sum up to it, is more than a profile can hold');
    }
    if (at === this.threads.length) this.#grow();
    this.threads[at] = thread;
    this.times[at] = timeNs;
    this.cpu[at] = cpuNs;
    this.wall[at] = wallNs;
    this.stacks[at] = stack;
    this.states[at] = state;
    this.count = at + 1;
    if (at > 0 && (thread < this.threads[at - 1] || (thread === this.threads[at - 1] && timeNs < this.times[at - 1]))) {
      this.#isOrdered = false;
    }
  }

  #grow() {
    this.threads = grown(this.threads);
    this.times = grown(this.times);
    this.cpu = grown(this.cpu);
    this.wall = grown(this.wall);
    this.stacks = grown(this.stacks);
    this.states = grown(this.states);
  }

  /** By thread, then time; what is equal stays as it came. */
  ordered() {
    const { count, threads, times } = this;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    if (!this.#isOrdered) order.sort((a, b) => threads[a] - threads[b] || times[a] - times[b] || a - b);
    /** @template {Uint32Array | Float64Array | Uint8Array} Column @param {Column} column @returns {Column} */
    const sorted = (column) => {
      const own = /** @type {Column} */ (column.slice(0, count));
      if (!this.#isOrdered) for (let i = 0; i < count; i++) own[i] = column[order[i]];
      return own;
    };
    return {
      sampleThreads: sorted(threads),
      sampleTimes: sorted(times),
      sampleCpuNs: sorted(this.cpu),
      sampleWallNs: sorted(this.wall),
      sampleStacks: sorted(this.stacks),
      sampleStates: sorted(this.states),
      sampleBlocks: new Uint32Array(count),
    };
  }
}

module.exports = { MOST, SampleColumns };
