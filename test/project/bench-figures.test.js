'use strict';

/** The figures of `npm run bench` beside their targets, from reports as Google Benchmark writes them. */

const { figuresOf, markdownOf, tableOf } = require('../../scripts/bench-figures');

/** Whatever benchmark is asked for has one run of 2 µs and all counters. @returns {any} */
function anyRows() {
  const counters = {
    ...{ items_per_second: 5e6, operations: 50e6, 'events_per_s (target 1M)': 1.1e6, 'dropped (target 0)': 0 },
    ...{ 'MB_per_s (target 500)': 800, without_sync_ms: 3, wait_us: 100, stop_accepting_us: 1, flush_lanes_us: 90 },
    ...{ sync_us: 700 },
  };
  const names = [
    ...['Register/1', 'Register/64', 'Register/4096', 'RegisterInPreparedSlots', 'RegisterInAFreshRegion'],
    ...['HandlerFastPath', 'HandlerFastPathOfAStaleSignal', 'FindOwnSlot/1', 'BM_SignalHandler', 'BM_BlockPair'],
    ...[4, 1024, 65536].map((capacity) => `QueueBetweenTwoThreads<${capacity}>/real_time`),
    ...['EventsAtARate/per_second:1100000/ring_scale:4/iterations:1/manual_time', 'BM_TwoReadings'],
    'ToMemory/ring_scale:4/producers:1/iterations:1/manual_time',
    'ToDisk/ring_scale:4/producers:1/iterations:1/manual_time',
    'BM_WholeShutdown/threads:64/busy:64/iterations:1/repeats:36/manual_time',
    'BM_WholeShutdown/threads:1000/busy:4/iterations:1/repeats:9/manual_time',
  ];
  return names.map((name) => ({
    name,
    run_type: 'iteration',
    real_time: 2,
    cpu_time: 2,
    time_unit: 'us',
    ...counters,
  }));
}

test('each figure stands beside its target', () => {
  const figures = figuresOf(anyRows());
  const one = figures.find(({ area, what }) => area === 'fast path' && what === 'of the handler');
  expect(one).toEqual({
    ...{ area: 'fast path', what: 'of the handler', target: '≤ 10.0 ns', figure: '2.00 µs', isMet: false },
  });
  const areas = ['registration', 'fast path', 'queue', 'drain', 'shutdown', 'flush', 'fsync', 'blocks'];
  expect([...new Set(figures.map(({ area }) => area))]).toEqual(areas);
  expect(tableOf(figures)).toMatch(/fast path: of the handler +≤ 10\.0 ns +2\.00 µs +MISSED/);
  expect(tableOf(figures)).toMatch(/registration: a thread, the only one +≤ 1\.00 µs +200 ns +met/);
});

test('the median and the worst are those of the runs, not of their aggregates', () => {
  const rows = anyRows();
  const stop = rows.find((/** @type {any} */ row) => row.name.startsWith('BM_WholeShutdown/threads:64'));
  rows.push({ ...stop, real_time: 70_000 }, { ...stop, real_time: 1 });
  rows.push({ ...stop, run_type: 'aggregate', aggregate_name: 'max', real_time: 900_000 });
  const figures = figuresOf(rows).filter(({ what }) => what.startsWith('stop() of 64'));
  expect(figures.map(({ figure, isMet }) => [figure, isMet])).toEqual([
    ['2.00 µs', true],
    ['70.0 ms', false],
  ]);
});

test('a figure that no benchmark gives any more is an error', () => {
  const rows = anyRows().filter((/** @type {any} */ row) => row.name !== 'HandlerFastPath');
  expect(() => figuresOf(rows)).toThrow('no benchmark gives the figure: fast path, of the handler');
});

test('the table names the machine by its CPU and its kernel', () => {
  expect(markdownOf(figuresOf(anyRows()))).toMatch(/^On .+, \d+ CPUs, Linux \d+\.\d+\.\d+\.\n\n\| \| what \|/);
});
