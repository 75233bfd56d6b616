'use strict';

/** Mutations of what is done when a call of the system fails: the failure is overlooked. */

/**
 * @param {string} name
 * @param {string} file
 * @param {string} find
 * @param {string} replace
 * @param {string} cases
 * @param {string} [test]
 */
function error(name, file, find, replace, cases, test = 'failing_calls_test') {
  return { name: `error-${name}`, what: 'the failure is overlooked', file, find, replace, test, cases };
}

const SIGACTION = 'FailingCalls.SigactionOneAfterAnother';
const THREAD = 'FailingCalls.PthreadCreateOneAfterAnother';
const MMAP = 'FailingCalls.MmapOneAfterAnother';

/** @type {import('./mutations').Mutation[]} */
const ERRORS = [
  error(
    'sigaction-of-the-shutdown',
    'native/session/shutdown_signals.cc',
    'if (sigaction(kShutdownSignals[i], &action, nullptr) != 0) {',
    'if (sigaction(kShutdownSignals[i], &action, nullptr) > 0) {',
    SIGACTION,
  ),
  error(
    'sigaction-of-the-samples',
    'native/sampling/profiling_signal.cc',
    'return sigaction(context_->signal, &action, nullptr) == 0;',
    'return sigaction(context_->signal, &action, nullptr) <= 0;',
    SIGACTION,
  ),
  error(
    'sigaction-of-the-faults',
    'native/platform/fault_handler.cc',
    'if (sigaction(kSignals[index], &action, &replaced) != 0) {',
    'if (sigaction(kSignals[index], &action, &replaced) > 0) {',
    SIGACTION,
  ),
  error(
    'pthread_create-of-the-drain',
    'native/drain/drain.cc',
    'status = Status::System("pthread_create", error.code().value(), "starting the drain thread");',
    'static_cast<void>(error);',
    THREAD,
  ),
  error(
    'pthread_create-of-the-end',
    'native/session/end_thread.cc',
    'return Status::System("pthread_create", error.code().value(),',
    'return error.code().value() >= 0 ? Status::Ok() : Status::System("", 0,',
    THREAD,
  ),
  error(
    'mmap-of-addresses',
    'native/platform/region_map.cc',
    'if (base == MAP_FAILED) return',
    'if (base == nullptr) return',
    MMAP,
  ),
  error(
    'mmap-of-the-region',
    'native/platform/region_map.cc',
    'if (mapped == MAP_FAILED) return',
    'if (mapped == nullptr) return',
    MMAP,
  ),
  error(
    'mmap-of-the-states',
    'native/sampling/sampler.cc',
    'if (states == MAP_FAILED)',
    'if (states == nullptr)',
    MMAP,
  ),
  error(
    'mmap-of-the-copy',
    'native/platform/region_map.cc',
    'if (memory == MAP_FAILED) return',
    'if (memory == nullptr) return',
    MMAP,
  ),
  error(
    'mprotect',
    'native/sampling/sampler.cc',
    'if (room.ok() && mprotect(state, context_->state_stride, PROT_READ | PROT_WRITE) != 0) {',
    'if (room.ok() && mprotect(state, context_->state_stride, PROT_READ | PROT_WRITE) > 0) {',
    'FailingCalls.MprotectOneAfterAnother',
  ),
  error(
    'timer_create',
    'native/platform/posix_timer.cc',
    'if (syscall(SYS_timer_create, clock, &event, &id) != 0) {',
    'if (syscall(SYS_timer_create, clock, &event, &id) > 0) {',
    'FailingCalls.TimerCreateOneAfterAnother',
  ),
  error(
    'fdatasync',
    'native/log/log_writer.cc',
    'if (fdatasync(Reach()) != 0 && errno != EINVAL)',
    'if (fdatasync(Reach()) > 0)',
    'FailingCalls.FdatasyncIsReportedAsAPhaseThatWasCutShort',
  ),
  error(
    'fdatasync-is-gone',
    'native/log/log_writer.cc',
    'if (fdatasync(Reach()) != 0 && errno != EINVAL)',
    'if (Reach() < -1)',
    'FailingCalls.FdatasyncIsReportedAsAPhaseThatWasCutShort',
  ),
  error(
    'writev',
    'native/log/log_writer.cc',
    'if (before >= 0 && ftruncate(fd, before) == 0) lseek(fd, before, SEEK_SET);\n    return false;',
    'return false;',
    'LogWriter.ADiskThatIsFullForAWhileTakesOnlyWhatFits',
    'drain_test',
  ),
];

/** @type {import('./mutations').Untried[]} */
const UNTRIED = [
  { name: 'eventfd', why: 'spprof makes none: the drain sleeps on a futex (signal_safe/machine/waker.h)' },
];

module.exports = { ERRORS, UNTRIED };
