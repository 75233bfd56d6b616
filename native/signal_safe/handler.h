// The SIGPROF handler: from a timer's signal to records in the thread's lanes.
//
// Context: signal. Touches only the HandlerContext, the thread's slot, its ThreadState, and what
// the walker reads. Saves nothing that it does not change: errno is never touched. Each signal for
// a live slot ends in exactly one of `written` and `dropped[reason]`.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

#include "region/layout.h"
#include "signal_safe/module_table.h"
#include "signal_safe/thread_state.h"
#include "signal_safe/v8_layout.h"
#include "signal_safe/walker.h"

namespace spprof {

enum class TimerEngine : uint16_t { kTick = 0, kHires = 1 };

// All that the handler knows. Set up before the first timer exists; `modules` alone changes later.
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
  uint64_t interval_ns = 0;
  int wake_fd = -1;  // eventfd of the drain
  struct sigaction previous {};

  ThreadLaneSet* Slot(uint32_t slot) const {
    return reinterpret_cast<ThreadLaneSet*>(region + geometry.SlotOffset(slot));
  }
  ThreadState* State(uint32_t slot) const {
    return reinterpret_cast<ThreadState*>(states + slot * state_stride);
  }
};

// The context that the handler uses; null: our signals are ignored.
void SetHandlerContext(HandlerContext* context);
// After SetHandlerContext(nullptr): returns when no handler uses the former context any more.
//
// | word        | writer  | reader  | order   | what for | | g_context   | control | handler |
// seq_cst | Dekker with g_in_flight: a handler counts itself, then loads the context; control     |
// | g_in_flight | handler | control | seq_cst | clears the context, then waits for the counts: one
// of the two sees the other         |
void WaitForHandlers();
HandlerContext* GetHandlerContext();

// The sa_sigaction function.
void HandleProfilingSignal(int signal, siginfo_t* info, void* ucontext);

// The handler's work on one of our signals, apart from how it came: for benchmarks and tests too.
// `overruns` as in siginfo.
void TakeSample(HandlerContext* context, uint32_t slot, bool from_hires_timer, int overruns,
                const ucontext_t& ucontext);

// V8's garbage-collection callbacks on the thread of `slot`; see WalkOptions::heap_is_moving.
void OnGcBegin(HandlerContext* context, uint32_t slot, const ucontext_t& ucontext);
void OnGcEnd(HandlerContext* context, uint32_t slot);

}  // namespace spprof
