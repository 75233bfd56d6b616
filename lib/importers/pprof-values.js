'use strict';

/**
 * Which of a pprof profile's values is shown, and what it is: CPU time where there is some, else what the file says is its
 * default, else the last one, as `go tool pprof` has it.
 *
 * @typedef {import('../../binding').Measure} Measure
 * @typedef {{ type: string, unit: string }} ValueType
 * @typedef {{ index: number, scale: number, wall: { index: number, scale: number } | null, mode: 'cpu' | 'wall', measure?: Measure, note?: string }} Chosen
 */

const TIMES = /** @type {Record<string, number>} */ ({
  ...{ nanoseconds: 1, nanosecond: 1, ns: 1, microseconds: 1e3, microsecond: 1e3, us: 1e3, µs: 1e3 },
  ...{ milliseconds: 1e6, millisecond: 1e6, ms: 1e6, seconds: 1e9, second: 1e9, s: 1e9 },
  ...{ minutes: 6e10, minute: 6e10, hours: 3.6e12, hour: 3.6e12 },
});
const SIZES = /** @type {Record<string, number>} */ ({
  ...{ bytes: 1, byte: 1, b: 1, kilobytes: 2 ** 10, kilobyte: 2 ** 10, kb: 2 ** 10, kib: 2 ** 10 },
  ...{ megabytes: 2 ** 20, megabyte: 2 ** 20, mb: 2 ** 20, mib: 2 ** 20 },
  ...{ gigabytes: 2 ** 30, gigabyte: 2 ** 30, gb: 2 ** 30, gib: 2 ** 30 },
});

/** @param {Record<string, number>} table @param {string} unit */
function scaleIn(table, unit) {
  const key = unit.toLowerCase();
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** @param {string} type @param {string} unit @returns {{ scale: number, measure: Measure }} */
function measureOf(type, unit) {
  const name = type.replaceAll('_', ' ') || 'values';
  const time = scaleIn(TIMES, unit);
  if (time !== undefined) return { scale: time, measure: { name, unit: 'nanoseconds' } };
  const size = scaleIn(SIZES, unit);
  if (size !== undefined) return { scale: size, measure: { name, unit: 'bytes' } };
  const isNamed = unit !== '' && unit !== 'count' && unit !== type;
  return { scale: 1, measure: { name: isNamed ? `${name} (${unit})` : name, unit: 'count' } };
}

/**
 * @param {ValueType[]} types
 * @param {{ defaultType: string, period: number, periodType: ValueType | null }} about
 * @returns {Chosen}
 */
function chooseValue(types, { defaultType, period, periodType }) {
  const timeIndex = (/** @type {string} */ name) =>
    types.findIndex(({ type, unit }) => type === name && scaleIn(TIMES, unit) !== undefined);
  const at = (/** @type {number} */ index) =>
    index < 0 ? null : { index, scale: /** @type {number} */ (scaleIn(TIMES, types[index].unit)) };
  const cpu = at(timeIndex('cpu'));
  const wall = at(timeIndex('wall'));
  if (wall !== null && (cpu === null || defaultType === 'wall')) return { ...(cpu ?? wall), wall, mode: 'wall' };
  if (cpu !== null) return { ...cpu, wall, mode: 'cpu' };
  const wanted = types.findIndex(({ type }) => type === defaultType && defaultType !== '');
  const index = wanted >= 0 ? wanted : types.length - 1;
  const { type, unit } = types[index];
  const periodNs = periodType === null ? undefined : scaleIn(TIMES, periodType.unit);
  const { scale, measure } = measureOf(type, unit);
  // Samples of a timer, and nothing else: each stands for its period.
  if (types.length === 1 && measure.unit === 'count' && periodNs !== undefined && period > 0) {
    const ns = period * periodNs;
    const note = `the file counts samples; each is taken for its period of ${ns} ns`;
    return { index, scale: ns, wall: null, mode: periodType?.type === 'wall' ? 'wall' : 'cpu', note };
  }
  return { index, scale, wall: null, mode: 'cpu', measure };
}

module.exports = { chooseValue, scaleIn, TIMES };
