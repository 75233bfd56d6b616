// The end of a recording: phases in order, executed once, whoever asks for it and however often.
//
//   running ─▶ stop accepting ─▶ stop timers ─▶ flush lanes ─▶ final drain ─▶ sync
//           ─▶ release ─▶ done                                     (end_thread.h)
//
// Request() and the signal handler (signal_safe/handler/shutdown_signal.h) ask; the end thread
// executes. Each phase is timed, and has a deadline: a step that sees it pass leaves off, the next
// phase begins, and the report says which was cut short.
//
// Context: Request from any thread and from a signal handler; Execute on the end thread; the rest
// from any thread.
//
// clang-format off
// | word               | writer         | reader | release | acquire | becomes visible                         | if weakened                          |
// | shutdown_requested | any, signal    | end    | H4      | H4      | what the asker did before               | region/layout.h                      |
// | phase_             | end thread     | any    | D1      | D2      | all that the phases before it have done | a phase's work is missed after done  |
// | requested_ns_      | first to ask   | end    | relaxed: the wake that follows orders it                    | a wait of 0 is reported              |
// | accepting_samples  | end thread     | handlers | seq_cst, with the count of handlers in flight: from the end of 'stop accepting' on no record is written,  |
// |                    |                |        | so that 'flush lanes' sees the last one                                                           |
// clang-format on
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "region/layout.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

enum class ShutdownPhase : uint32_t {
  kRunning = 0,
  kStopAccepting,
  kStopTimers,
  kFlushLanes,
  kFinalDrain,
  kSync,
  kRelease,
  kDone,
};
inline constexpr size_t kShutdownPhaseCount = static_cast<size_t>(ShutdownPhase::kDone) - 1;
// `index` from 0, 'stop accepting', on; in lower case with underscores.
const char* ShutdownPhaseName(size_t index);
const char* ShutdownReasonName(ShutdownReason reason);

struct ShutdownReport {
  ShutdownReason reason = ShutdownReason::kNone;
  uint64_t wait_ns = 0;   // from the request to the first phase
  uint64_t total_ns = 0;  // from the request on
  struct {
    uint64_t took_ns = 0;
    bool is_cut_short = false;
  } phases[kShutdownPhaseCount];
};

// One phase's work. `deadline_ns`: of CLOCK_MONOTONIC. False: not all was done by then.
struct ShutdownStep {
  uint64_t budget_ns;
  std::function<bool(uint64_t deadline_ns)> run;
};
using ShutdownSteps = std::array<ShutdownStep, kShutdownPhaseCount>;

class ShutdownManager {
 public:
  // `shutdown_requested`: the region header's word; `waker`: the end thread's.
  ShutdownManager(Word* shutdown_requested, Waker* waker)
      : shutdown_requested_(shutdown_requested), waker_(waker) {}

  // True: this call began it.
  bool Request(ShutdownReason reason);
  // When a request was made otherwise, which only its maker knows.
  void NoteRequest(uint64_t requested_ns) {
    requested_ns_.store(requested_ns, std::memory_order_relaxed);  // the asker's wake orders it
  }
  // Runs the steps, then `conclude` with the report, then publishes 'done'. Once.
  void Execute(const ShutdownSteps& steps,
               const std::function<void(const ShutdownReport&)>& conclude);

  ShutdownPhase phase() const {
    return static_cast<ShutdownPhase>(phase_.load(std::memory_order_acquire));  // D2
  }
  // False: not done within `timeout_ns`.
  bool WaitUntilDone(uint64_t timeout_ns);

 private:
  void Enter(ShutdownPhase phase);

  Word* shutdown_requested_;
  Waker* waker_;
  Word phase_{0};
  Sequence requested_ns_{0};  // monotonic; 0: not known
  std::mutex mutex_;
  std::condition_variable done_;
};

}  // namespace spprof
