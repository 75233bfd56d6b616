'use strict';

/** Mutations of the phases in which a recording ends: each phase does nothing. */

const RECORDER = 'native/session/recorder.cc';

/**
 * @param {string} name
 * @param {string} find
 * @param {string} replace
 * @param {string} cases of shutdown_phases_test
 */
function phase(name, find, replace, cases) {
  const what = `the phase ${name} does nothing`;
  return {
    name: `phase-${name}`,
    what,
    file: RECORDER,
    find,
    replace,
    test: 'shutdown_phases_test',
    cases: `ShutdownPhases.${cases}`,
  };
}

/** @type {import('./mutations').Mutation[]} */
const PHASES = [
  phase('stop_accepting', 'sampler_->StopAccepting();\n        return true;', 'return true;', 'NoSampleIs*'),
  phase('stop_timers', 'sampler_->StopTimers();', '', 'NoTimerIs*'),
  phase('flush_lanes', 'return drain_->FlushLanes(deadline_ns);', 'return deadline_ns > 0;', 'AllSamples*'),
  phase('final_drain', 'return drain_->FinalDrain(deadline_ns);', 'return deadline_ns > 0;', 'TheCounters*'),
  phase('sync', 'return SyncLog(deadline_ns);', 'return deadline_ns > 0;', 'TheCounters*'),
  phase('release', 'return Release(deadline_ns);', 'return deadline_ns > 0;', 'TheProgram*'),
  {
    name: 'phase-lanes-left-to-the-final-drain',
    what: 'FlushLanes is empty',
    file: 'native/drain/drain.cc',
    find: 'const bool is_done = DrainAll(deadline_ns);\n  log_->Flush();\n  return is_done;',
    replace: 'return deadline_ns > 1;',
    test: 'drain_test',
    cases: 'Drain.FlushesTheLanesBeforeAllElse',
  },
  {
    name: 'phase-deadline-never-passes',
    what: 'the flush of the lanes has no end',
    file: 'native/drain/drain.cc',
    find: 'return deadline_ns != UINT64_MAX && MonotonicNow() >= deadline_ns;',
    replace: 'return false;',
    test: 'drain_test',
    cases: 'Drain.FlushesTheLanesBeforeAllElse',
  },
  {
    name: 'phase-cut-short-is-not-reported',
    what: 'a phase that passes its deadline counts as done',
    file: 'native/session/shutdown_manager.cc',
    find: 'report.phases[i].is_cut_short = !steps[i].run(begin_ns + steps[i].budget_ns);',
    replace: 'steps[i].run(begin_ns + steps[i].budget_ns);',
    test: 'shutdown_manager_test',
    cases: '*CutShort*',
  },
  {
    name: 'phase-over-is-not-noted',
    what: 'the next recording waits for the threads of the one before, which are over',
    file: RECORDER,
    find: '  is_over_.Give();\n',
    replace: '',
    test: 'shutdown_phases_test',
    cases: 'ShutdownPhases.*',
  },
  {
    name: 'phase-end-thread-is-not-cancelled',
    what: 'a recording that is taken down before its end has been asked for is ended all the same',
    file: 'native/session/end_thread.cc',
    find: 'if (is_cancelled_.load(std::memory_order_relaxed)) return;',
    replace: 'if (is_cancelled_.load(std::memory_order_relaxed)) break;',
    test: 'end_thread_test',
    cases: 'EndThreadTest.IsDestroyed*',
  },
];

module.exports = { PHASES };
