// What the handler keeps for one thread: of its ticks, of its walks, and what both ask about it.
//
// Context: signal, on the thread itself. Set up and cleared by the control side while the slot is
// not active.
#pragma once

#include <cstddef>
#include <cstdint>

#include "region/sequence.h"
#include "signal_safe/handler/disarmed_stack.h"
#include "signal_safe/ticks/tick_state.h"
#include "signal_safe/walk/walk_state.h"

namespace spprof {

struct ThreadState {
  // Set by the thread in garbage-collection callbacks and by the handler.
  Word busy;   // spprof's own code runs on this thread and uses this state: the handler must leave
               // it alone
  Word in_gc;  // nesting of collections announced by V8
  // For walks by the drain, while the thread sleeps: V8's isolate that was the thread's when it was
  // last seen, and whether collections of that are announced (`in_gc`). 0: none.
  Sequence isolate;
  Word announces_gc;
  Word is_left_out;              // the program has asked for no samples of this thread
  uint64_t pending_cpu_ns;       // of samples that were dropped: the next one stands for it too
  DisarmedStack disarmed_stack;  // a signal stack of the program's
  TickState ticks;
  WalkState walk;  // the last: its frames go on behind it

  static size_t SizeFor(uint32_t max_frames) {
    return sizeof(ThreadState) + max_frames * sizeof(Frame);
  }
};

}  // namespace spprof
