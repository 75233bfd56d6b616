'use strict';

/**
 * What `npm run sanitize` runs, and which part of it the gate has time for: docs/sanitizers.md says what that leaves out.
 * The names are those of the programs of test/native, without `_test`.
 */

/** Readers of what others have written, and what ends or survives badly: here a bad address does the most harm. */
const READERS = [
  ...['cfi', 'cfi_damage', 'cfi_interpreter', 'layout_finder', 'live_decoder', 'log_reader', 'position_table'],
  ...['recording_builder', 'recover', 'region_map', 'source_positions', 'symbolizer', 'wasm_indexer', 'wasm_module'],
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

/** `cfi` and `cfi_damage` read whole libraries, `recover` hundreds of recordings: minutes. Valgrind hides the vDSO, which `symbolizer` names. */
const READERS_IN_VALGRIND = READERS.filter((name) => !['cfi', 'cfi_damage', 'recover', 'symbolizer'].includes(name));

/** @type {Suite[]} */
const SUITES = [
  {
    name: 'asan',
    gate: [...READERS, ...LANES, ...ENDS, 'fault_handler', 'guarded_load', 'handler', 'v8_reader', 'walker_js'],
    parts: null,
  },
  {
    name: 'tsan',
    gate: [...LANES, ...ENDS, 'block_labels', 'blocks_stress', 'end_thread', 'ordering', 'pause', 'region_map'],
    parts: null,
  },
  {
    name: 'valgrind',
    gate: [...READERS_IN_VALGRIND, ...LANES, 'shutdown_manager', 'start_stop'],
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
