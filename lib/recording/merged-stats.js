'use strict';

/** The statistics of several recordings as if they were one. Pure. */

/**
 * @param {Record<string, number>[]} counters
 * @returns {Record<string, number>}
 */
function sumCounters(counters) {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const each of counters) {
    for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/**
 * CPU time without that in pauses, of which the overhead's percentages are.
 * @param {import('../index').Stats} stats
 */
function countedCpuNs({ handlerNs, overhead }) {
  return overhead.handlerPercent > 0 ? (handlerNs.total * 100) / overhead.handlerPercent : 0;
}

/**
 * @param {import('../index').Stats[]} all
 * @param {(stats: import('../index').Stats) => number} of
 */
function sumOf(all, of) {
  return all.reduce((total, stats) => total + of(stats), 0);
}

/**
 * @param {import('../index').Stats[]} all
 * @param {(stats: import('../index').Stats) => number} weightOf
 * @param {(stats: import('../index').Stats) => number} of
 */
function weightedMean(all, weightOf, of) {
  const weight = sumOf(all, weightOf);
  return weight > 0 ? sumOf(all, (stats) => of(stats) * weightOf(stats)) / weight : 0;
}

/**
 * Rates and costs together: each is of the CPU time of all.
 * @param {import('../index').Stats[]} all
 */
function sumRates(all) {
  const same = (/** @type {string[]} */ names) => [...new Set(names)].join(', ');
  return {
    intervalNs: Math.max(...all.map(({ intervalNs }) => intervalNs)),
    clock: same(all.map(({ clock }) => clock)),
    signal: same(all.map(({ signal }) => signal)),
    rate: {
      asked: Math.min(...all.map(({ rate }) => rate.asked)),
      achieved: weightedMean(
        all,
        ({ sampledCpuNs }) => sampledCpuNs,
        ({ rate }) => rate.achieved,
      ),
    },
    overhead: {
      handlerPercent: weightedMean(all, countedCpuNs, ({ overhead }) => overhead.handlerPercent),
      deliveryPercent: weightedMean(all, countedCpuNs, ({ overhead }) => overhead.deliveryPercent),
      drainPercent: weightedMean(
        all,
        ({ cpuNs }) => cpuNs,
        ({ overhead }) => overhead.drainPercent,
      ),
    },
  };
}

/** @param {import('../index').Stats[]} all @returns {import('../index').Stats} */
function sumStats(all) {
  const sum = (/** @type {(stats: import('../index').Stats) => number} */ of) => sumOf(all, of);
  const most = (/** @type {(stats: import('../index').Stats) => number} */ of) => Math.max(...all.map(of));
  const written = sum((stats) => stats.written);
  const total = sum(({ handlerNs }) => handlerNs.total);
  return {
    signals: sum((stats) => stats.signals),
    written,
    drained: sum((stats) => stats.drained),
    dropped: sumCounters(all.map(({ dropped }) => dropped)),
    overruns: sum((stats) => stats.overruns),
    folded: sum((stats) => stats.folded),
    truncated: sum((stats) => stats.truncated),
    incomplete: sum((stats) => stats.incomplete),
    stacksLost: sum((stats) => stats.stacksLost),
    threadsLive: sum((stats) => stats.threadsLive),
    threadsSeen: sum((stats) => stats.threadsSeen),
    threadsRefused: sum((stats) => stats.threadsRefused),
    handlerNs: {
      // Of the one that is worst: percentiles do not add up.
      ...{ p50: most(({ handlerNs }) => handlerNs.p50), p99: most(({ handlerNs }) => handlerNs.p99) },
      ...{ max: most(({ handlerNs }) => handlerNs.max), mean: written > 0 ? Math.round(total / written) : 0, total },
    },
    cpuNs: sum((stats) => stats.cpuNs),
    sampledCpuNs: sum((stats) => stats.sampledCpuNs),
    ...sumRates(all),
    deliveryNs: most((stats) => stats.deliveryNs),
    pausedNs: sum((stats) => stats.pausedNs),
    bytes: sum((stats) => stats.bytes),
    drainLagNs: most((stats) => stats.drainLagNs),
    warnings: [...new Set(all.flatMap(({ warnings }) => warnings))],
    shutdown: all.length === 1 ? all[0].shutdown : null,
  };
}

module.exports = { sumStats };
