'use strict';

const { spanOfRecording } = require('./recording-sets');

/**
 * What a program's own `start()` gives where the command, or the preload, records it already: a part of that recording, from now until
 * `stop()`. It stands for the binding in a `Session`; the recording itself goes on as it was begun, with its own interval, mode and
 * engine.
 *
 * @typedef {import('../../binding')} Binding
 */

/** Where the view that is open was started: as without the command, there is one at a time. @type {string | null} */
let openedAt = null;

/** @returns {string | null} where the view that is open was started */
function openView() {
  return openedAt;
}

class RecordingView {
  #binding;
  #fromNs;
  /** @type {number | null} */
  #toNs = null;
  /** @type {{ fromNs: number, toNs: number }[]} of this view alone */
  #pauses = [];
  /** @type {import('../../binding').NativeSubscription[]} */
  #subscriptions = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {Binding} binding
   * @param {{ durationS: number | null, startedAt: string }} settings
   */
  constructor(binding, { durationS, startedAt }) {
    openedAt = startedAt;
    this.#binding = binding;
    this.#fromNs = binding.elapsedNs();
    if (durationS !== null) this.#timer = setTimeout(() => this.#end(), durationS * 1000).unref();
  }

  stats() {
    return this.#binding.stats();
  }

  dump() {
    return this.#binding.dump();
  }

  /** @param {string} name @param {string} detail */
  mark(name, detail) {
    return this.#toNs === null && this.#binding.mark(name, detail);
  }

  get #isPaused() {
    return this.#pauses.at(-1)?.toNs === Number.POSITIVE_INFINITY;
  }

  pause() {
    if (this.#isPaused || this.#toNs !== null) return false;
    this.#pauses.push({ fromNs: this.#binding.elapsedNs(), toNs: Number.POSITIVE_INFINITY });
    return true;
  }

  resume() {
    const pause = this.#pauses.at(-1);
    if (pause === undefined || !this.#isPaused) return false;
    pause.toNs = this.#binding.elapsedNs();
    return true;
  }

  /** The interval is that of the recording. */
  setInterval() {}

  /** @param {number} [maxMemory] */
  async snapshot(maxMemory) {
    return this.#part(await this.#binding.snapshot(maxMemory), this.#toNs ?? this.#binding.elapsedNs());
  }

  /** @param {number} [maxMemory] */
  async stop(maxMemory) {
    this.#toNs ??= this.#binding.elapsedNs();
    try {
      const recording = await this.#binding.snapshot(maxMemory);
      this.#end();
      return { ...this.#part(recording, this.#toNs), stoppedCleanly: true };
    } finally {
      openedAt = null;
    }
  }

  /** Nothing later than now belongs to it. */
  #end() {
    clearTimeout(this.#timer);
    this.#toNs ??= this.#binding.elapsedNs();
    for (const subscription of this.#subscriptions.splice(0)) subscription.finish();
  }

  /** @param {number} ns since the recording's start */
  #isMine(ns) {
    if (ns < this.#fromNs || ns >= (this.#toNs ?? Number.POSITIVE_INFINITY)) return false;
    return !this.#pauses.some(({ fromNs, toNs }) => ns >= fromNs && ns < toNs);
  }

  /** @param {import('../../binding').PackedRecording} recording @param {number} toNs */
  #part(recording, toNs) {
    return spanOfRecording(recording, { fromNs: this.#fromNs, toNs }, (ns) => this.#isMine(ns));
  }

  /**
   * @param {boolean} wantsSamples
   * @param {(event: 'samples' | 'stats' | 'end', value?: any) => void} tell
   */
  subscribe(wantsSamples, tell) {
    const subscription = this.#binding.subscribe(wantsSamples, (event, value) =>
      tell(
        event,
        event === 'samples' ? this.#batch(/** @type {import('../../binding').NativeBatch} */ (value)) : value,
      ),
    );
    this.#subscriptions.push(subscription);
    return subscription;
  }

  /** Its own samples of a batch; what the batch defines stays, since later ones build on it. @param {import('../../binding').NativeBatch} batch */
  #batch(batch) {
    const kept = Array.from(batch.times.keys()).filter((i) => this.#isMine(batch.times[i] * 1e6));
    /** @template {Float64Array | Uint32Array | Uint8Array} T @param {T} column @returns {T} */
    const only = (column) => /** @type {any} */ (column).constructor.from(kept, (/** @type {number} */ i) => column[i]);
    return {
      ...batch,
      times: Float64Array.from(kept, (i) => batch.times[i] - this.#fromNs / 1e6),
      ...{ cpuTimes: only(batch.cpuTimes), wallTimes: only(batch.wallTimes), stackIds: only(batch.stackIds) },
      ...{ threadIds: only(batch.threadIds), states: only(batch.states), blockIds: only(batch.blockIds) },
    };
  }
}

module.exports = { RecordingView, openView };
