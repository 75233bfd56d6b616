// The CPU time that each sample of a thread stands for.
//
// At the kernel's tick (the engines tick and itimer) a record says what its thread has used since
// the one before. That sums up, but says little about what ran: a tick that meets a burst of work
// at its beginning has an earlier one close behind it, in work of which it stands for the end, and
// a tick after several bursts that were missed stands for all of them. Where bursts and ticks are
// in step for a while, as where a timer sets off work every 10 ms, what ran at the beginning got
// half of its time (docs/decisions/0023-ticks-and-bursts.md). But ticks come evenly, so that each
// that meets a thread stands for as much of its work as any other.
//
//   ── work ──┐       ┌─ work ──┐       ┌─ work ──┐      a sample whose thread has left the CPU
//             └ sleep ┘   ^     └ sleep ┘    ^    └──    since the one before shares its CPU time
//                       tick               tick          with its neighbours
//
// So the CPU time of such a sample is spread evenly over those like it, 256 before and 256 after;
// but where they have used more than a tick each, the signals of some have waited in the kernel for
// a system call of several ticks to end, and what is beyond a tick each is theirs who have more.
// Where the thread has not left the CPU, a sample stands for its own. None stands for much more
// than the time since the one before. What perf and hires write is what a sample stands for already
// (signal_safe/ticks/engines.h).
//
//   tick      tick      tick      tick
//   ├── JS ──┬── system call ─┬── JS ─┤       a signal that waits is known by its time, and what
//            └────────────────^            the thread has used since the tick before it is the next
//                          sample          tick's: here 2 ticks of the call, 1 of JavaScript
//
// Context: any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/kernel_tick.h"
#include "profile/recorded_log.h"

namespace spprof {

// How the samples of a log are to be weighed.
struct Weighing {
  bool is_shared = false;
  uint64_t tick_ns = 0;  // what a sample stands for if no signal waits; 0: not known
  uint64_t kernel_tick_ns = 0;
  uint64_t phase_ns = kUnknownPhase;  // base/kernel_tick.h
  static Weighing Of(const RecordedLog& log);
};

// One for each of the thread's samples, in nanoseconds; their sum is that of the records, exactly.
// `order`: their indices by time. `previous_ns`: the time of the sample before the first one, 0:
// there is none.
std::vector<uint64_t> WeighSamples(const RecordedThread& thread, const std::vector<uint32_t>& order,
                                   const Weighing& weighing, uint64_t previous_ns = 0);

}  // namespace spprof
