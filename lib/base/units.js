'use strict';

/** Reading and writing of times and numbers. Pure; no errors are thrown, null says that a text is none. */

/** Microseconds in one of the unit. */
const MICROSECONDS = /** @type {Record<string, number>} */ ({ '': 1, us: 1, µs: 1, μs: 1, ms: 1e3, s: 1e6, ns: 1e-3 });

/**
 * A time such as `250us`, `10ms`, `1.5s`, or a bare number of microseconds.
 * @param {string} text
 * @returns {number | null} microseconds
 */
function parseMicroseconds(text) {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-zµμ]*)\s*$/i.exec(text);
  if (match === null) return null;
  const factor = MICROSECONDS[match[2].toLowerCase()];
  // Three decimals are nanoseconds, the finest that a timer takes; rounding hides 0.1 + 0.2.
  return factor === undefined ? null : Math.round(Number(match[1]) * factor * 1e3) / 1e3;
}

/**
 * A time in the unit that reads best, e.g. `250 µs`, `10 ms`, `4.61 s`.
 * @param {number} ns
 * @returns {string}
 */
function formatNs(ns) {
  if (ns < 0) return `-${formatNs(-ns)}`;
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${trim(ns / 1e3)} µs`;
  if (ns < 1e9) return `${trim(ns / 1e6)} ms`;
  return `${trim(ns / 1e9)} s`;
}

/**
 * A number of bytes in the unit that reads best, e.g. `1.2 MB` (a million bytes).
 * @param {number} bytes
 * @returns {string}
 */
function formatBytes(bytes) {
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${trim(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${trim(bytes / 1e6)} MB` : `${trim(bytes / 1e9)} GB`;
}

/** Three significant digits, without trailing zeros. @param {number} value */
function trim(value) {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/**
 * Digits in groups of three.
 * @param {number} value an integer
 */
function formatCount(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * @param {number} part
 * @param {number} whole
 * @param {number} [digits]
 */
function formatPercent(part, whole, digits = 1) {
  return `${(whole > 0 ? (100 * part) / whole : 0).toFixed(digits)} %`;
}

/**
 * `1 sample`, `2 samples`.
 * @param {number} count
 * @param {string} noun
 * @param {string} [many]
 */
function plural(count, noun, many = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

module.exports = { parseMicroseconds, formatBytes, formatNs, formatCount, formatPercent, plural };
