'use strict';

const { BatchReader } = require('./sample-feed');

/**
 * What a listener throws is the program's, as with every emitter: an uncaught exception. Thrown to the addon that calls
 * us, it would be a line about Node-API, and the program would go on.
 * @param {unknown} error
 */
function throwOnItsOwn(error) {
  process.nextTick(() => {
    throw error;
  });
}

/**
 * What a running session tells: its subscription with the binding, turned into the events of `Session`. The end is told
 * once, after everything else.
 */
class SessionNews {
  #binding;
  #emit;
  /** @type {import('../../binding').NativeSubscription | null} */
  #subscription = null;
  #reader = new BatchReader();
  #hasSamples = false;
  #wantsSamples = false;
  #isRef = false;
  #isOver;
  #isStopped;
  #isStopping = false;
  #isEndTold = false;
  #warningsTold = 0;
  /** @type {() => void} */
  #onEnd = () => {};
  /** @type {Promise<void>} */
  #ended;

  /**
   * @param {Pick<import('../../binding'), 'subscribe' | 'stats'>} binding
   * @param {(event: string, value?: unknown) => void} emit
   * @param {boolean} isStopped the recording has been stopped already
   */
  constructor(binding, emit, isStopped) {
    this.#binding = binding;
    this.#emit = (/** @type {string} */ event, /** @type {unknown} */ value) => {
      try {
        emit(event, value);
      } catch (error) {
        throwOnItsOwn(error); // A failure of our own must not become one of the program's.
      }
    };
    this.#isOver = isStopped;
    this.#isStopped = isStopped;
    this.#ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    if (!isStopped) this.#subscribe(false);
  }

  /** @param {boolean} hasSamples */
  #subscribe(hasSamples) {
    this.#hasSamples = hasSamples;
    /** @type {import('../../binding').NativeSubscription} */
    const subscription = this.#binding.subscribe(hasSamples, (event, value) => {
      if (subscription === this.#subscription) this.#tell(event, value);
    });
    this.#subscription = subscription;
    if (this.#isRef) subscription.ref();
  }

  /** From the beginning of the recording, also when its duration is over. */
  wantSamples() {
    this.#wantsSamples = true;
    if (this.#isStopped || this.#isStopping || this.#hasSamples) return;
    this.#subscription?.close();
    this.#subscribe(true);
  }

  /** The subscription stays: whoever listens again goes on where it is. */
  samplesUnwanted() {
    this.#wantsSamples = false;
  }

  ref() {
    this.#isRef = true;
    this.#subscription?.ref();
  }

  unref() {
    this.#isRef = false;
    this.#subscription?.unref();
  }

  /** @param {string} event @param {any} value */
  #tell(event, value) {
    if (event === 'samples') {
      // Also when nobody wants it: later batches build on the frames of this one.
      const batch = this.#reader.read(value);
      if (this.#wantsSamples) this.#emit('samples', batch);
    } else if (event === 'stats') {
      this.#tellStats(value);
    } else {
      this.#isOver = true;
      this.#onEnd();
      // By its duration or a signal; whoever stops it knows better what the final counters are.
      if (!this.#isStopping) this.#tellEnd(this.#binding.stats());
    }
  }

  /** @param {import('../index').Stats} stats */
  #tellStats(stats) {
    this.#emit('stats', stats);
    for (const warning of stats.warnings.slice(this.#warningsTold)) this.#emit('warning', warning);
    this.#warningsTold = Math.max(this.#warningsTold, stats.warnings.length);
  }

  /** @param {import('../index').Stats} stats */
  #tellEnd(stats) {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.#tellStats(stats);
    this.#emit('end', stats);
  }

  /** The recording is being stopped; `finish` follows. */
  stopping() {
    this.#isStopping = true;
  }

  /** After the recording has been stopped. @param {import('../index').Stats} stats the final ones */
  async finish(stats) {
    this.#isStopped = true;
    if (!this.#isOver) {
      this.#subscription?.ref();
      await this.#ended;
    }
    this.#tellEnd(stats);
  }
}

module.exports = { SessionNews };
