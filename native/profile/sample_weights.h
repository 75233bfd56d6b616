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
// So the CPU time of such a sample is spread evenly over those like it, 128 before and 128 after.
// Where the thread has not left the CPU, a sample stands for its own: one tick, or several, if the
// signal has waited while the thread was in the kernel. What perf and hires write is what a sample
// stands for already (signal_safe/tick.h).
//
// Context: any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "profile/recorded_log.h"

namespace spprof {

// One for each of the thread's samples, in nanoseconds; their sum is that of the records, exactly.
// `order`: their indices by time. `previous_ns`: the time of the sample before the first one, 0:
// there is none.
std::vector<uint64_t> WeighSamples(const RecordedThread& thread, const std::vector<uint32_t>& order,
                                   TimerEngine engine, uint64_t previous_ns = 0);

}  // namespace spprof
