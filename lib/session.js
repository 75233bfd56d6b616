'use strict';

const { errors } = require('./errors');
const { checkOptions, parseOption, toIntervalNs, toNativeOptions } = require('./options');
const { loadBinding } = require('./binding');

/** @typedef {import('./profile').Profile} Profile */

/** Where the running session was started, or null. @type {string | null} */
let startedAt = null;

/** The caller of `start()`: `at <function> (<file>:<line>:<column>)`. */
function callerOfStart() {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const outside = lines.find((line) => !line.includes(__dirname));
  return outside === undefined ? 'in this process' : outside.trim();
}

/** What `start()` returns; documented in `index.d.ts`. */
class Session {
  /** @type {import('../binding')} */
  #binding;
  /** @type {Promise<Profile> | null} */
  #stopped = null;
  /** @type {import('../binding').NativeStats | null} */
  #lastStats = null;

  /** @type {boolean} */
  #sourceMaps;

  /** @param {import('../binding')} binding @param {string | null} directory @param {boolean} sourceMaps */
  constructor(binding, directory, sourceMaps) {
    this.#binding = binding;
    this.#sourceMaps = sourceMaps;
    this.directory = directory;
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

  /** @returns {Promise<Profile>} */
  stop() {
    this.#stopped ??= this.#finish();
    return this.#stopped;
  }

  async #finish() {
    this.#lastStats = this.#binding.stats();
    try {
      const recording = await this.#binding.stop();
      this.#lastStats = recording.stats;
      const { Profile } = require('./profile');
      return new Profile(recording, { sourceMaps: this.#sourceMaps });
    } finally {
      startedAt = null;
    }
  }
}

/**
 * Begins to record this process; documented in `index.d.ts`.
 * @param {unknown} [given]
 * @returns {Session}
 */
function start(given) {
  const { SPPROF_TIMER } = process.env;
  const timer = SPPROF_TIMER ? parseOption('timer', 'SPPROF_TIMER', SPPROF_TIMER) : undefined;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const options = checkOptions(isObject || given === undefined ? { timer, ...given } : given);
  const binding = loadBinding();
  if (startedAt !== null) throw errors.running(startedAt);
  if (binding.isRunning()) throw errors.running('by the spprof command, or by another thread of this process');
  let directory = null;
  if (options.dir !== null) {
    const { makeRecordingFolder } = require('./recording-folder');
    directory = makeRecordingFolder(options.dir);
  }
  binding.start(toNativeOptions(options, directory));
  startedAt = callerOfStart();
  return new Session(binding, directory, options.sourceMaps);
}

/** Whether this process is being recorded, by whomever. */
function isRecording() {
  return loadBinding().isRunning();
}

module.exports = { start, isRecording, Session };
