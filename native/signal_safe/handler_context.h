// All that the handler knows. Set up before the first timer exists; only the atomics change later.
//
// Context: signal | control thread.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/kernel_tick.h"
#include "region/layout.h"
#include "signal_safe/module_table.h"
#include "signal_safe/thread_state.h"
#include "signal_safe/thread_table.h"
#include "signal_safe/v8_layout.h"
#include "signal_safe/waker.h"
#include "signal_safe/walker.h"

namespace spprof {

// tick, hires: of the timers on the threads' CPU clocks. So short that every tick of the kernel's
// that meets a thread finds its timer expired, however little it has done since the last one. Where
// the kernel's tick is not known, nothing else would keep the interval.
constexpr uint64_t CpuTimerNs(uint64_t kernel_tick_ns, uint64_t interval_ns) {
  constexpr uint64_t kShort = 10'000;
  return kernel_tick_ns == 0 || interval_ns < kShort ? interval_ns : kShort;
}

struct HandlerContext {
  uint8_t* region = nullptr;
  RegionHeader* header = nullptr;
  RegionGeometry geometry;
  uint8_t* states = nullptr;  // ThreadStates, one every `state_stride` bytes
  size_t state_stride = 0;
  std::atomic<const ModuleTable*> modules{nullptr};
  V8Layout v8;
  WalkOptions walk;
  bool javascript_threads_only = false;
  TimerEngine engine = TimerEngine::kTick;
  int signal = SIGPROF;
  size_t signal_frame_bytes = 4096;  // that the kernel takes of a stack to deliver a signal
  ThreadTable threads;               // engines whose signals carry no value
  Sequence interval_ns{0};
  uint64_t perf_switch_ns = 0;            // of a change of threads, what setting events costs it
  uint64_t kernel_tick_ns = 0;            // 0: not known, and every tick takes a sample
  Sequence tick_phase_ns{kUnknownPhase};  // base/kernel_tick.h; the drain finds it
  Word is_paused{0};                      // sampling/sample_timers.h says who orders what
  Waker* waker = nullptr;                 // the drain's
  struct sigaction previous {};

  ThreadLaneSet* Slot(uint32_t slot) const {
    return reinterpret_cast<ThreadLaneSet*>(region + geometry.SlotOffset(slot));
  }
  ThreadState* State(uint32_t slot) const {
    return reinterpret_cast<ThreadState*>(states + slot * state_stride);
  }
};

}  // namespace spprof
