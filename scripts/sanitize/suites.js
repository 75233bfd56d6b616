'use strict';

/**
 * What `npm run sanitize` runs, and which part of it the gate has time for: docs/sanitizers.md says what that leaves out.
 * The names are those of the programs of test/native, without `_test`.
 */

/**
 * Readers of what others have written: here a bad address does the most harm. Not `cfi`, `cfi_damage` and `recover`, which
 * read whole libraries and hundreds of recordings, for minutes, nor `symbolizer`, which names the vDSO: valgrind hides it.
 */
const READERS_IN_VALGRIND = [
  ...['cfi_interpreter', 'layout_finder', 'live_decoder', 'log_reader', 'position_table', 'recording_builder'],
  ...['region_map', 'source_positions', 'wasm_indexer', 'wasm_module'],
];

/** Queues, rings and the log between two threads. */
const LANES = ['drain', 'lane', 'ring', 'spsc_queue', 'thread_registry'];

/** The end of a recording, and a thousand recordings. `start_stop` also says whether samples are taken at all. */
const ENDS = ['profiler_end', 'shutdown_manager', 'shutdown_signals', 'start_stop'];

/** In each of the three; fails when every sample is given up, as ASan's small signal stacks once made it. */
const KEEPS_SAMPLES = 'StartStop.AThousandTimesLeavesNothing';

/**
 * `gate`: the part that the gate runs. `parts`: all of it, null for each program that there is.
 * @typedef {{ name: string, gate: string[], parts: string[] | null }} Suite
 */

/** @type {Suite[]} */
const SUITES = [
  {
    name: 'asan',
    // Most readers are fuzzed under the same sanitizers (`npm run fuzz`).
    gate: [...LANES, ...ENDS, 'fault_handler', 'handler', 'recover', 'v8_reader', 'walker_js'],
    parts: null,
  },
  {
    name: 'tsan',
    gate: [...LANES, 'ordering', 'pause', 'profiler_end', 'shutdown_manager', 'start_stop'],
    parts: null,
  },
  {
    name: 'valgrind',
    gate: ['lane', 'log_reader', 'recording_builder', 'ring', 'start_stop'],
    // The others measure times, count mappings, look for the vDSO, or send signals faster than valgrind delivers them.
    parts: [
      ...READERS_IN_VALGRIND,
      'cfi',
      'recover',
      ...LANES,
      'shutdown_manager',
      'shutdown_signals',
      'start_stop',
      'v8_reader',
    ],
  },
];

module.exports = { SUITES, KEEPS_SAMPLES };
