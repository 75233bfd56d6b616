'use strict';

const { errors } = require('../base/errors');

/**
 * A block as a program holds it. All timing is native: a call through Node-API costs a third of what a reading of
 * `process.hrtime` does, and the clock is read inside it.
 *
 * @typedef {import('../../binding')} Binding
 * @typedef {Pick<Binding, 'blockStart' | 'blockStop' | 'blockSuspend' | 'blockFinish'>} Timing
 */

const DISPOSE = Symbol.dispose ?? Symbol.for('nodejs.dispose');

/** Tells open starts of one thread apart; stays a small integer. */
let serial = 0;
/** Starts without a stop on this thread. */
let open = 0;

/** @type {Timing} */
let timing;

/** Before the first handle is made. @param {Timing} functions */
function useTiming({ blockStart, blockStop, blockSuspend, blockFinish }) {
  timing = { blockStart, blockStop, blockSuspend, blockFinish };
}

/** One start, to be stopped by itself, in whatever order. */
class BlockSpan {
  #id;
  #serial;

  /** @param {number} id @param {number} own 0: nothing was started */
  constructor(id, own) {
    this.#id = id;
    this.#serial = own;
  }

  /** A second time it does nothing. */
  stop() {
    if (this.#serial === 0) return;
    if (open > 0) open--;
    timing.blockStop(this.#id, this.#serial);
    this.#serial = 0;
  }

  [DISPOSE]() {
    this.stop();
  }
}

/** Of disabled tracks. */
const NO_SPAN = new BlockSpan(0, 0);

/** @param {unknown} value @returns {value is PromiseLike<any>} */
function isPromiseLike(value) {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** @param {unknown} fn */
function checkFunction(fn) {
  if (typeof fn !== 'function') throw errors.optionType('fn', fn, 'a function');
}

/** What `block()` returns; documented in `blocks.d.ts`. */
class BlockHandle {
  #id;
  /** Native writes into it: 0 when the track is disabled. */
  #enabled;

  /** @param {number} id @param {Uint32Array} enabled @param {string} track @param {string} name */
  constructor(id, enabled, track, name) {
    this.#id = id;
    this.#enabled = enabled;
    this.track = track;
    this.name = name;
  }

  /** @returns {BlockSpan} */
  start() {
    if (this.#enabled[0] === 0) return NO_SPAN;
    serial = (serial + 1) & 0x3fffffff;
    if (serial === 0) serial = 1; // 0 stands for any
    open++;
    timing.blockStart(this.#id, serial);
    return new BlockSpan(this.#id, serial);
  }

  stop() {
    if (this.#enabled[0] === 0 && open === 0) return;
    if (open > 0) open--;
    timing.blockStop(this.#id, 0);
  }

  /**
   * @template T
   * @param {() => T} fn
   * @returns {T}
   */
  measure(fn) {
    checkFunction(fn);
    return this.#run(fn, undefined, []);
  }

  /**
   * @template {(...values: any[]) => any} F
   * @param {F} fn
   * @returns {F}
   */
  wrap(fn) {
    checkFunction(fn);
    const run = (/** @type {Function} */ target, /** @type {unknown} */ self, /** @type {any[]} */ values) =>
      this.#run(target, self, values);
    /** @this {unknown} @param {any[]} values */
    const wrapped = function (...values) {
      if (new.target === undefined) return run(fn, this, values);
      return run(Reflect.construct, undefined, [fn, values, new.target === wrapped ? fn : new.target]);
    };
    Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true });
    Object.defineProperty(wrapped, 'length', { value: fn.length, configurable: true });
    return /** @type {F} */ (/** @type {unknown} */ (wrapped));
  }

  /** @param {Function} fn @param {unknown} self @param {any[]} values */
  #run(fn, self, values) {
    if (this.#enabled[0] === 0) return fn.apply(self, values);
    serial = (serial + 1) & 0x3fffffff;
    if (serial === 0) serial = 1;
    const own = serial;
    const id = this.#id;
    timing.blockStart(id, own);
    let isOver = true;
    try {
      const result = fn.apply(self, values);
      if (!isPromiseLike(result)) return result;
      isOver = false;
      return this.#runOn(own, result);
    } finally {
      if (isOver) timing.blockStop(id, own);
    }
  }

  /** Until the promise is settled, other work runs on this thread: the block is not on its stack. @param {number} own @param {PromiseLike<any>} result */
  #runOn(own, result) {
    const id = this.#id;
    const started = timing.blockSuspend(id, own);
    return result.then(
      (/** @type {unknown} */ value) => {
        timing.blockFinish(id, started);
        return value;
      },
      (/** @type {unknown} */ reason) => {
        timing.blockFinish(id, started);
        throw reason;
      },
    );
  }
}

module.exports = { BlockHandle, useTiming };
