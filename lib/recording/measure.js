'use strict';

const { formatBytes, formatCount, formatNs, plural } = require('../base/units');

/**
 * What the values of a profile are. Those of a recording of ours are time; another profiler's file may hold bytes or counts, and
 * then says so by `measure`. The columns `sampleCpuNs` and `sampleWallNs` hold the values, whatever they are. Pure.
 *
 * @typedef {import('../../binding').Measure} Measure
 */

/** @param {{ mode: 'cpu' | 'wall', measure?: Measure }} recording @returns {Measure} */
function measureOf({ mode, measure }) {
  return measure ?? { name: mode === 'wall' ? 'wall time' : 'CPU time', unit: 'nanoseconds' };
}

/** @param {number} value @param {Measure['unit']} unit */
function formatValue(value, unit) {
  if (unit === 'nanoseconds') return formatNs(value);
  return unit === 'bytes' ? formatBytes(value) : formatCount(value);
}

/** All values of a profile together, e.g. `4.2 s of CPU time`, `300 samples`. @param {number} value @param {Measure} measure */
function totalText(value, { name, unit }) {
  return unit === 'count' ? `${formatCount(value)} ${name}` : `${formatValue(value, unit)} of ${name}`;
}

/**
 * How many samples there are, and what they stand for; in a file of counts these are the same.
 * @param {number} samples @param {number} value of all @param {Measure} measure
 */
function countText(samples, value, measure) {
  const total = totalText(value, measure);
  return measure.unit === 'count' && measure.name === 'samples' ? total : `${plural(samples, 'sample')}, ${total}`;
}

/** The unit of a column of values. @param {Measure} measure */
function columnUnit({ unit }) {
  return unit === 'nanoseconds' ? 'ms' : unit === 'bytes' ? 'kB' : 'count';
}

/** A value in the unit of its column. @param {number} value @param {Measure} measure */
function columnValue(value, { unit }) {
  if (unit === 'count') return formatCount(value);
  return (value / (unit === 'bytes' ? 1e3 : 1e6)).toFixed(1);
}

module.exports = { measureOf, formatValue, totalText, countText, columnUnit, columnValue };
