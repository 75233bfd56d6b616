// All that the handler knows. Set up before the first timer exists; only the atomics change later.
//
// Context: signal | control thread.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "region/layout.h"
#include "region/thread_table.h"
#include "signal_safe/cfi/module_table.h"
#include "signal_safe/handler/thread_state.h"
#include "signal_safe/machine/waker.h"
#include "signal_safe/ticks/tick_context.h"
#include "signal_safe/v8_heap/v8_layout.h"
#include "signal_safe/walk/walker.h"

namespace spprof {

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
  int signal = SIGPROF;
  size_t signal_frame_bytes = 4096;  // that the kernel takes of a stack to deliver a signal
  ThreadTable threads;               // engines whose signals carry no value
  TickContext ticks;
  Waker* waker = nullptr;  // the drain's
  struct sigaction previous {};

  ThreadLaneSet* Slot(uint32_t slot) const {
    return reinterpret_cast<ThreadLaneSet*>(region + geometry.SlotOffset(slot));
  }
  ThreadState* State(uint32_t slot) const {
    return reinterpret_cast<ThreadState*>(states + slot * state_stride);
  }
};

}  // namespace spprof
