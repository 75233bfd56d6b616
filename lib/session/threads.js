'use strict';

const { errors } = require('../base/errors');
const { loadBinding } = require('../native/binding');

/** Registration of the calling thread; documented in `threads.d.ts`. */

/** Bytes: what the region has room for. */
const MAX_NAME = 31;
const DISPOSE = Symbol.dispose ?? Symbol.for('nodejs.dispose');

/** What `registerThread()` returns. */
class ThreadRegistration {
  #isOpen = true;

  /** @param {string} name @param {boolean} isRecorded */
  constructor(name, isRecorded) {
    this.name = name;
    this.isRecorded = isRecorded;
  }

  /** A second time it does nothing. */
  unregister() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    loadBinding().leaveOutThread();
  }

  [DISPOSE]() {
    this.unregister();
  }
}

/** @param {string} [name] */
function registerThread(name) {
  if (name !== undefined) {
    if (typeof name !== 'string') throw errors.optionType('name', name, 'a string');
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > MAX_NAME) throw errors.optionRange('name', name, `1 to ${MAX_NAME} bytes`);
  }
  const { isMainThread, threadId } = require('node:worker_threads');
  const ownName = name ?? (isMainThread ? 'main' : `worker ${threadId}`);
  // The main thread has the program's name, unless another is asked for.
  const isRecorded = loadBinding().registerThread(name === undefined && isMainThread ? '' : ownName);
  return new ThreadRegistration(ownName, isRecorded);
}

module.exports = { registerThread };
