'use strict';

const { EventEmitter } = require('node:events');
const path = require('node:path');
const { errors } = require('../base/errors');
const { checkOptions, parseOption, toIntervalNs, toNativeOptions } = require('../options/options');
const { loadBinding } = require('../native/binding');
const { unsupportedReason } = require('../native/support');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').Stats} Stats */

const LIB = path.join(__dirname, '..') + path.sep;
const SAMPLES = 'samples';
/** What a session tells of beside samples. */
const NEWS = ['stats', 'warning', 'end'];

/** The caller of `start()`: `at <function> (<file>:<line>:<column>)`, and the thread, if it is not the main one. */
function callerOfStart() {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const outside = lines.find((line) => !line.includes(LIB));
  const { isMainThread, threadId } = require('node:worker_threads');
  return (outside?.trim() ?? 'in this process') + (isMainThread ? '' : ` in worker ${threadId}`);
}

/** What `start()` returns; documented in `index.d.ts`. */
class Session extends EventEmitter {
  /** @type {import('../../binding') | import('../recording/recording-view').RecordingView} */
  #binding;
  /** @type {Promise<Profile> | null} */
  #stopped = null;
  /** @type {Stats | null} */
  #lastStats = null;
  /** @type {boolean} */
  #sourceMaps;
  #sources;
  #view;
  #maxMemory;
  /** @type {import('./session-news').SessionNews | null} */
  #news = null;
  #keepsAlive = false;
  /** Consumers that wait for a batch; the program must not end under them, unless it has said so with `unref()`. */
  #waiting = 0;
  #isUnref = false;
  #hasEnded = false;

  /**
   * @param {import('../../binding') | import('../recording/recording-view').RecordingView} binding
   * @param {string | null} directory
   * @param {import('../options/options').Options} options
   */
  constructor(binding, directory, { sourceMaps, sources, view, maxMemory }) {
    super();
    this.#binding = binding;
    this.#sourceMaps = sourceMaps;
    this.#sources = sources;
    this.#view = view;
    this.#maxMemory = maxMemory * 2 ** 20;
    this.directory = directory;
    this.on('newListener', (event) => this.#onListener(event));
    this.on('removeListener', (event) => this.#onListenerGone(event));
  }

  /** Nothing is read, decoded or told for a session that nobody listens to. @param {string | symbol} event */
  #onListener(event) {
    if (event === SAMPLES) this.#startNews().wantSamples();
    else if (NEWS.includes(String(event))) this.#startNews();
  }

  /** @param {string | symbol} event */
  #onListenerGone(event) {
    if (event === SAMPLES && this.listenerCount(SAMPLES) === 0) this.#news?.samplesUnwanted();
  }

  #startNews() {
    if (this.#news === null) {
      const { SessionNews } = require('./session-news');
      const isOver = this.#stopped !== null;
      const emit = (/** @type {string} */ event, /** @type {unknown} */ value) => {
        if (event === 'end') this.#hasEnded = true;
        this.emit(event, value);
      };
      this.#news = new SessionNews(this.#binding, emit, isOver);
      if (this.#keepsAlive) this.#news.ref();
    }
    return this.#news;
  }

  #updateRef() {
    if (this.#keepsAlive || (this.#waiting > 0 && !this.#isUnref)) this.#startNews().ref();
    else this.#news?.unref();
  }

  stats() {
    return this.#lastStats ?? this.#binding.stats();
  }

  /** Registry and lanes as a text for a person, while the session runs. */
  dump() {
    return this.#binding.dump();
  }

  /** No samples until `resume()`. */
  pause() {
    this.#checkRunning('pause');
    return this.#binding.pause();
  }

  resume() {
    this.#checkRunning('resume');
    return this.#binding.resume();
  }

  /** @param {unknown} intervalUs */
  setInterval(intervalUs) {
    const intervalNs = toIntervalNs(intervalUs);
    this.#checkRunning('setInterval');
    this.#binding.setInterval(intervalNs);
  }

  /** @param {string} what */
  #checkRunning(what) {
    if (this.#stopped !== null) throw errors.notRunning(`${what}()`);
  }

  /**
   * @param {string} name
   * @param {{ detail?: unknown }} [settings]
   */
  mark(name, settings) {
    const { checkMark } = require('../recording/mark');
    const mark = checkMark(name, settings);
    if (this.#stopped === null) this.#binding.mark(mark.name, mark.detail);
  }

  /** @returns {Promise<Profile>} */
  async snapshot() {
    if (this.#stopped !== null) return this.#stopped;
    return this.#profileOf(await this.#binding.snapshot(this.#maxMemory));
  }

  /** @returns {AsyncIterableIterator<import('../index').SampleBatch>} */
  [Symbol.asyncIterator]() {
    const { BatchQueue } = require('./sample-feed');
    if (this.#hasEnded) return BatchQueue.ended();
    const queue = new BatchQueue(
      () => this.off(SAMPLES, push),
      (isWaiting) => {
        this.#waiting += isWaiting ? 1 : -1;
        this.#updateRef();
      },
    );
    const push = (/** @type {import('../index').SampleBatch} */ batch) => queue.push(batch);
    this.on(SAMPLES, push);
    this.once('end', () => queue.end());
    return queue;
  }

  /** @returns {import('node:stream').Readable} */
  stream() {
    const { Readable } = require('node:stream');
    return Readable.from(this, { objectMode: true, highWaterMark: 1 });
  }

  ref() {
    this.#keepsAlive = true;
    this.#isUnref = false;
    this.#updateRef();
    return this;
  }

  unref() {
    this.#keepsAlive = false;
    this.#isUnref = true;
    this.#updateRef();
    return this;
  }

  /** @returns {Promise<Profile>} */
  stop() {
    this.#stopped ??= this.#finish();
    return this.#stopped;
  }

  /** @param {import('../../binding').PackedRecording} recording */
  #profileOf(recording) {
    const { Profile } = require('../profile/profile');
    return Profile.of(recording, { sourceMaps: this.#sourceMaps, sources: this.#sources, view: this.#view });
  }

  async #finish() {
    this.#lastStats = this.#binding.stats();
    this.#news?.stopping();
    const recording = await this.#binding.stop(this.#maxMemory);
    this.#lastStats = recording.stats;
    await this.#news?.finish(recording.stats);
    this.#hasEnded = true;
    return this.#profileOf(recording);
  }

  /** Without anybody who waits for it, a failure can only be told. */
  #stopUnwatched() {
    this.stop().catch((error) => process.emitWarning(error));
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.#stopUnwatched();
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.stop();
  }

  /** @param {AbortSignal} signal */
  stopUpon(signal) {
    if (signal.aborted) this.#stopUnwatched();
    else signal.addEventListener('abort', () => this.#stopUnwatched(), { once: true });
  }
}

/**
 * The AbortSignal among the options, which is no option of the table: it cannot be written on a command line.
 * @param {unknown} given
 * @returns {{ signal: AbortSignal | null, rest: unknown }}
 */
function takeSignal(given) {
  if (typeof given !== 'object' || given === null || !('abortSignal' in given)) return { signal: null, rest: given };
  const { abortSignal, ...rest } = /** @type {{ abortSignal: unknown }} */ (given);
  if (abortSignal === undefined) return { signal: null, rest };
  if (!(abortSignal instanceof AbortSignal)) throw errors.optionType('abortSignal', abortSignal, 'an AbortSignal');
  return { signal: abortSignal, rest };
}

/**
 * A program that is root may give that up, or change its root folder, and does not find this package any more when it
 * stops. Others load the module when they need it.
 */
function loadWhatStopNeeds() {
  if (process.geteuid?.() === 0) require('../profile/profile');
}

/**
 * Begins to record this process; documented in `index.d.ts`.
 * @param {unknown} [given]
 * @returns {Session}
 */
function start(given) {
  const { signal, rest } = takeSignal(given);
  const { SPPROF_TIMER } = process.env;
  const timer = SPPROF_TIMER ? parseOption('timer', 'SPPROF_TIMER', SPPROF_TIMER) : undefined;
  const isObject = typeof rest === 'object' && rest !== null && !Array.isArray(rest);
  const options = checkOptions(isObject || rest === undefined ? { timer, ...rest } : rest);
  const binding = loadBinding();
  loadWhatStopNeeds();
  const view = viewOfRunning(binding, options);
  if (view !== null) return begun(new Session(view, null, options), signal);
  const startedAt = callerOfStart();
  const begin = (/** @type {string | null} */ folder) =>
    binding.start({ ...toNativeOptions(options, folder), startedAt });
  const { beginInFolder } = require('../native/recording-folder');
  const directory = options.dir === null ? null : beginInFolder(options.dir, begin);
  if (directory === null) begin(null);
  return begun(new Session(binding, directory, options), signal);
}

/** @param {Session} session @param {AbortSignal | null} signal */
function begun(session, signal) {
  if (signal !== null) session.stopUpon(signal);
  return session;
}

/**
 * The recording that runs, where the program has not begun it itself; null: none does.
 * @param {import('../../binding')} binding
 * @param {import('../options/options').Options} options
 * @throws {Error} `ERR_SPPROF_RUNNING`: the program has a session already
 */
function viewOfRunning(binding, { durationS }) {
  if (!binding.isRunning()) return null;
  const { BY_PRELOAD } = require('../native/recording-folder');
  if (binding.startedAt() !== BY_PRELOAD) throw errors.running(binding.startedAt());
  const { RecordingView, openView } = require('../recording/recording-view');
  const startedAt = openView();
  if (startedAt !== null) throw errors.running(startedAt);
  return binding.retireEnded() ? null : new RecordingView(binding, { durationS, startedAt: callerOfStart() });
}

/**
 * Records while `fn` runs; documented in `index.d.ts`.
 * @template T
 * @param {(session: Session) => T | Promise<T>} fn
 * @param {unknown} [options]
 * @returns {Promise<{ result: T, profile: Profile }>}
 */
async function profile(fn, options) {
  if (typeof fn !== 'function') throw errors.optionType('fn', fn, 'a function');
  const session = start(options);
  try {
    const result = await fn(session);
    return { result, profile: await session.stop() };
  } finally {
    await session.stop();
  }
}

/** Whether this process is being recorded, by whomever. Nothing is where spprof cannot record at all. */
function isRecording() {
  return unsupportedReason() === null && loadBinding().isRunning();
}

module.exports = { start, profile, isRecording, Session };
