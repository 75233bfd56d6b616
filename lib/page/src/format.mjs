/** @param {number} part @param {number} whole */
export function percent(part, whole) {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '0.0 %';
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
