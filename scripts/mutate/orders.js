'use strict';

/** Mutations of the rows of the ordering tables: an order made relaxed. */

/** @typedef {import('./mutations').Mutation} Mutation */

const STRONG = /memory_order_(?:acquire|release|acq_rel|seq_cst)/;

/**
 * @param {string} name
 * @param {string} file in native
 * @param {string} find
 * @returns {Pick<Mutation, 'name' | 'what' | 'file' | 'find' | 'replace'>}
 */
function relaxed(name, file, find) {
  const replace = find.replace(STRONG, 'memory_order_relaxed');
  return { name: `order-${name}`, what: 'the order is relaxed', file: `native/${file}`, find, replace };
}

/**
 * Of a word that the model checker runs: it is seen by what the test itself compiles.
 * @param {string} name
 * @param {string} file
 * @param {string} find
 * @returns {Mutation}
 */
function modelled(name, file, find) {
  const cases = name.startsWith('B') ? 'Interleaving.ACopy*' : 'Interleaving.The*';
  return { ...relaxed(name, file, find), test: 'interleaving_test', cases, isInTest: true };
}

/**
 * Of a word that TSan watches, as on x86 nothing else could notice it.
 * @param {string} name
 * @param {string} file
 * @param {string} find
 * @param {string} cases
 * @param {{ test?: string, isInTest?: boolean }} [other] `isInTest`: the test compiles it itself
 * @returns {Mutation}
 */
function watched(name, file, find, cases, { test = 'ordering_test', isInTest = false } = {}) {
  return { ...relaxed(name, file, find), preset: 'tsan', test, cases, isInTest };
}

const IN_TEST = { isInTest: true };
const RING = 'region/ring.h';
const QUEUE = 'region/spsc_queue.h';
const HANDLER = 'signal_safe/handler/handler.cc';
const SIGNAL = 'signal_safe/handler/shutdown_signal.cc';
const LABELS = 'signal_safe/walk/block_labels.cc';
const WASM = 'signal_safe/v8_heap/wasm_index.cc';
const LOST = 'signal_safe/machine/lost_mapping.cc';
const MANAGER = 'session/shutdown_manager';
const REGISTRY = 'registry/thread_registry.cc';

const WHOLE_HITS = 'BlocksStress.ACopyIsOfWholeHitsWhileTheThreadGoesOn';
const STRESS = { test: 'blocks_stress_test' };

/** @type {Mutation[]} */
const ORDERS = [
  modelled('Q1', QUEUE, 'head_.store(head + 1, std::memory_order_release);'),
  modelled('Q2', QUEUE, 'head_seen_ = head_.load(std::memory_order_acquire);'),
  modelled('Q3', QUEUE, 'tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);'),
  modelled('Q4', QUEUE, 'tail_seen_ = tail_.load(std::memory_order_acquire);'),
  modelled('R1', RING, 'header_->head.store(cursor_, std::memory_order_release);'),
  modelled('R2', RING, 'header_->head.load(std::memory_order_acquire) - tail_;'),
  modelled('R3', RING, 'header_->tail.store(tail_, std::memory_order_release);'),
  modelled('R4', RING, 'header_->tail.load(std::memory_order_acquire)'),
  modelled('L1', 'region/lane.cc', 'lane_->active.store(next, std::memory_order_release);'),
  modelled('L2', 'region/lane.h', 'uint32_t active = lane_->active.load(std::memory_order_acquire);'),
  modelled('B1', 'blocks/block_counts.h', 'version_.store(version | kOpen, std::memory_order_release);'),
  modelled('B2', 'blocks/block_counts.h', 'version = version_.load(std::memory_order_acquire);'),
  modelled('B3', 'blocks/block_counts.h', 'word.store(value, std::memory_order_release);'),
  modelled('B4', 'blocks/block_counts.h', 'return word.load(std::memory_order_acquire);'),
  watched('D1', `${MANAGER}.cc`, 'static_cast<uint32_t>(phase), std::memory_order_release);', '*OfThePhases'),
  watched('D2', `${MANAGER}.h`, 'phase_.load(std::memory_order_acquire)', '*OfThePhases', IN_TEST),
  watched('H1', 'platform/region_map.cc', 'block_count.store(block + 1, std::memory_order_release);', '*ThatGrows'),
  watched('H2', 'platform/region_map.h', 'block_count.load(std::memory_order_acquire);', '*ThatGrows', IN_TEST),
  watched('H4-asker', 'region/layout.h', 'std::memory_order_acq_rel);  // H4', '*OfARequestForTheEnd', IN_TEST),
  watched('H4-end', `${MANAGER}.cc`, 'shutdown_requested_->load(std::memory_order_acquire)', '*OfARequestAnd*'),
  watched(
    'S1',
    REGISTRY,
    'SlotState::kActive),\n                                   std::memory_order_release);',
    '*ItsState',
  ),
  watched('S3', REGISTRY, 'lanes->generation.fetch_add(1, std::memory_order_release);', '*ItsGeneration'),
  watched(
    'S4',
    HANDLER,
    'lanes->generation.load(std::memory_order_acquire) != value.generation',
    '*TheGenerationOfItsSlot',
  ),
  watched(
    'free_slots',
    REGISTRY,
    'while (!head.compare_exchange_weak(top, replacement, std::memory_order_acq_rel)',
    '*ThatAreFree',
  ),
  watched(
    'W1-waker',
    'signal_safe/machine/waker.h',
    'fetch_or(reason, std::memory_order_acq_rel)',
    '*OfTheWaker',
    IN_TEST,
  ),
  watched('W2-waker', 'signal_safe/machine/waker.h', 'exchange(0, std::memory_order_acq_rel)', '*OfTheWaker', IN_TEST),
  watched('g_context-set', HANDLER, 'g_context.store(context, std::memory_order_seq_cst);', '*ItsContext'),
  watched('g_context-handler', HANDLER, 'context = g_context.load(std::memory_order_seq_cst);', '*ItsContext'),
  watched('g_in_flight-handler', HANDLER, 'in_flight.fetch_sub(1, std::memory_order_release);', '*WaitedFor'),
  watched(
    'g_in_flight-control',
    'signal_safe/handler/in_flight.cc',
    'count.load(std::memory_order_seq_cst) ==',
    '*WaitedFor',
  ),
  watched('shutdown-context-set', SIGNAL, 'g_context.store(context, std::memory_order_seq_cst);', '*SignalsContext'),
  watched(
    'shutdown-context-handler',
    SIGNAL,
    'ShutdownSignalContext* context = g_context.load(std::memory_order_seq_cst);\n  bool',
    '*SignalsContext',
  ),
  watched(
    'shutdown-in-flight-handler',
    SIGNAL,
    'g_in_flight.fetch_sub(1, std::memory_order_release);',
    '*SignalsContext',
  ),
  watched(
    'shutdown-in-flight-control',
    SIGNAL,
    'while (g_in_flight.load(std::memory_order_seq_cst)',
    '*SignalsContext',
  ),
  watched('label-set', LABELS, 'g_label_words[entry].store(label, std::memory_order_release);', '*OfAThreadsLabel'),
  watched('label-handler', LABELS, 'return g_label_words[entry].load(std::memory_order_acquire);', '*OfAThreadsLabel'),
  watched('definition-set', LABELS, 'store(definition, std::memory_order_release);', '*OfALabelsDefinition'),
  watched('definition-handler', LABELS, 'g_definitions[label].load(std::memory_order_acquire)', '*OfALabelsDefinition'),
  watched('lost-list', LOST, 'none, mapping, std::memory_order_release)', '*ALostMapping.ItsPlaceInTheList'),
  watched('lost-list-handler', LOST, 'place.load(std::memory_order_acquire)', '*ALostMapping.ItsPlaceInTheList'),
  watched('lost-end', LOST, 'mapping->end.load(std::memory_order_acquire);', '*ALostMapping.ItsEnd'),
  watched('lost-is_lost', LOST, 'is_lost.exchange(1, std::memory_order_seq_cst)', '*ALostMapping.ThatItIsLost'),
  watched(
    'W1-wasm-asked',
    WASM,
    'WasmIndexState::kAsked),\n                     std::memory_order_release);',
    '*ThatIsAskedFor',
  ),
  watched('W1-wasm-ready', WASM, 'slot.state.load(std::memory_order_acquire)', '*ThatIsReady'),
  watched(
    'modules',
    HANDLER,
    'ModuleTable* modules = context->modules.load(std::memory_order_acquire);',
    '*ItsTableOfModules',
  ),
  watched(
    'is_running_-start',
    'session/profiler.cc',
    'is_running_.store(true, std::memory_order_release);',
    '*HasBegun',
  ),
  watched(
    'is_running_-reader',
    'session/profiler.h',
    'is_running_.load(std::memory_order_acquire)',
    '*HasBegun',
    IN_TEST,
  ),
  watched(
    'thread_version_-named',
    'sampling/sampler.cc',
    'is_left_out.store(0, std::memory_order_relaxed);\n  thread_version_.fetch_add(1, std::memory_order_release);',
    '*OfAThreadsName',
  ),
  watched(
    'thread_version_-drain',
    'sampling/sampler.h',
    'thread_version_.load(std::memory_order_acquire)',
    '*OfAThreadsName',
    IN_TEST,
  ),
  watched('chunks_', 'blocks/thread_blocks.cc', 'entry.store(chunk, std::memory_order_release);', '*OfABlocksNumbers'),
  watched('chunks_-stats', 'blocks/thread_blocks.cc', '.store(stats, std::memory_order_release);', '*OfABlocksNumbers'),
  watched(
    'g_blocks-register',
    'blocks/block_tables.cc',
    '.store(result, std::memory_order_release);',
    '*Ordering.OfABlock',
  ),
  watched(
    'g_blocks-find',
    'blocks/block_tables.cc',
    'g_blocks[id].load(std::memory_order_acquire)',
    '*Ordering.OfABlock',
  ),
  watched('B5', 'blocks/block_stats.cc', 'active_.store(other, std::memory_order_release);', WHOLE_HITS, STRESS),
  watched('B6', 'blocks/block_stats.h', 'active_.load(std::memory_order_acquire)', WHOLE_HITS, {
    ...STRESS,
    isInTest: true,
  }),
];
/** @type {import('./mutations').Untried[]} */
const UNTRIED = [
  {
    name: 'order-L2-drain',
    why: 'of the ring it names nothing is used but what its head shows (R2): the model checker finds no run that goes wrong',
  },
  { name: 'order-H3', why: 'both sides hold the lock of the sampler' },
  { name: 'order-S2', why: 'each reader loads the generation (S4) before it uses the slot, which orders the same' },
  {
    name: 'order-accepting_samples',
    why: 'a load that overtakes the store before it: TSan has no store buffers, and the model checker no read-modify-writes',
  },
  { name: 'order-is_paused', why: 'as accepting_samples' },
  {
    name: 'order-W2-wasm',
    why: 'what the version guards is atomic: TSan sees no race, and the model checker has no fences',
  },
  { name: 'order-lost-base', why: 'it is stored before the mapping is listed, which orders it (order-lost-list)' },
  { name: 'order-shutdown-signal', why: 'its reader has waited for the handlers (g_in_flight), which orders it' },
  { name: 'order-is_released_', why: 'its reader has waited for the last phase under a lock' },
  { name: 'order-visits_', why: 'what it announces is in a file, which the kernel orders' },
  { name: 'order-modules-set', why: 'a library would have to be loaded that each machine has, and no test uses' },
  {
    name: 'order-is_waiting_',
    why: 'and its neighbours: the stream runs in the addon, of which there is no build for TSan',
  },
  {
    name: 'order-relaxed',
    why: 'sleep_walker.h, counters, thread_count, is_cancelled_ and other words that are relaxed: nothing to weaken',
  },
];

module.exports = { ORDERS, UNTRIED };
