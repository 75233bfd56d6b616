/** Numbers in words. */

/** @param {number} part @param {number} whole */
export function percent(part, whole) {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '0.0 %';
}

/** @param {number} value @param {string} unit what the profile's values are */
export function value(value, unit) {
  if (unit === 'nanoseconds') return time(value);
  if (unit === 'count') return String(Math.round(value));
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} GB`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(1)} kB`;
}

/** @param {number} ns */
export function time(ns) {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(2)} s`;
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e3).toFixed(0)} µs`;
}

/** @param {number} change of the whole */
export function points(change) {
  return `${change >= 0 ? '+' : '−'}${(100 * Math.abs(change)).toFixed(1)} points`;
}

/** A place on the time line. @param {number} ms @param {number} stepMs how far apart such places are */
export function clock(ms, stepMs) {
  if (stepMs >= 1000 || ms >= 10_000) return `${(ms / 1000).toFixed(stepMs < 100 ? 2 : stepMs < 1000 ? 1 : 0)} s`;
  return stepMs >= 1 ? `${Math.round(ms)} ms` : `${ms.toFixed(2)} ms`;
}
