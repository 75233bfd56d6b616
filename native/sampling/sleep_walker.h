// The stack of a thread that sleeps in the kernel, walked from outside: no signal is sent, so that
// no call of the program ends early (EINTR), and threads that block all signals are seen, too. The
// kernel tells the stack pointer and the program counter with which the thread has entered it
// (platform/thread_sleep.h); callee-saved registers are unknown until the stack restores them
// (signal_safe/cfi/frame_search.h).
//
// The thread may wake up at any moment. Loads are guarded and searches bounded, so that a walk
// that is overtaken does no harm, and the thread's CPU clock tells: where it has moved since before
// the kernel was asked, nothing of the walk is kept, not even names.
//
// What the walks share with the thread's own handler:
//
// clang-format off
// | word         | writer            | reader | order   | what for                                                        |
// | in_gc        | thread            | drain  | relaxed | the thread sleeps: what it has stored before, the scheduler's    |
// | isolate      | thread or control | drain  | relaxed | lock, which the drain takes to read the clock, has made visible; |
// | announces_gc | control           | drain  | relaxed | where it wakes up, the clock moves and the walk is void          |
// clang-format on
// State and definitions are the walks' own; the identifiers of these begin where those of the
// handler never come. All that is read through guarded loads is the thread's alone.
//
// Context: drain thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "region/lane.h"
#include "signal_safe/handler/handler_context.h"

namespace spprof {

enum class SleepWalkResult : uint8_t {
  kWalked,
  kAwake,       // it runs, or waits for a CPU
  kWoken,       // it has woken up meanwhile
  kNoRoom,      // its definitions do not fit at once: `definitions` holds those that do
  kUnreadable,  // the kernel does not tell where it sleeps
};

struct SleepWalk {
  uint32_t stack_id = 0;
  uint32_t label = 0;
  uint32_t state = 0;   // kState… bits of a SampleRecord
  uint64_t cpu_ns = 0;  // of the thread's CPU clock, which stands still
  std::string
      definitions;  // records of a detail lane; to be logged before the stack is referred to
};

class SleepWalker {
 public:
  explicit SleepWalker(const HandlerContext* context);

  // `tid` is the thread of `slot`.
  SleepWalkResult Walk(uint32_t slot, pid_t tid, SleepWalk* out);
  // The slot is another thread's from here on.
  void Forget(uint32_t slot);

 private:
  struct Unmap {
    size_t size = 0;
    void operator()(WalkState* state) const;
  };
  using OwnState = std::unique_ptr<WalkState, Unmap>;

  WalkState* StateOf(uint32_t slot);
  bool WalkStack(const ThreadState& theirs, pid_t tid, const Registers& registers, WalkState* own,
                 SleepWalk* out);

  const HandlerContext* context_;
  std::vector<OwnState> states_;  // by slot
  Lane lane_;
  std::unique_ptr<uint8_t[]> bytes_;  // of its ring
};

}  // namespace spprof
