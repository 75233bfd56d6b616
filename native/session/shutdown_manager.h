// The end of a recording: phases in order, executed once, whoever asks for it and however often.
//
//   running ─▶ stop accepting ─▶ stop timers ─▶ flush lanes ─▶ final drain ─▶ sync
//           ─▶ cancel duration ─▶ release ─▶ done                    (drain thread)
//
// Request() and the signal handler (signal_safe/shutdown_signal.h) ask; the drain thread executes.
// Each phase is timed, and has a deadline: a step that sees it pass leaves off, the next phase
// begins, and the report says which was cut short.
//
// Context: Request from any thread and from a signal handler; Execute on the drain thread; the rest
// from any thread.
//
// clang-format off
// | word               | writer         | reader | release | acquire | becomes visible                         | if weakened                          |
// | shutdown_requested | any, signal    | drain  | H4      | H4      | what the asker did before               | region/layout.h                      |
// | phase_             | drain          | any    | D1      | D2      | all that the phases before it have done | a phase's work is missed after done  |
// | accepting_samples  | drain          | handlers | seq_cst, with the count of handlers in flight: from the end of 'stop accepting' on no record is written,  |
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
#include "signal_safe/waker.h"

namespace spprof {

enum class ShutdownPhase : uint32_t {
  kRunning = 0,
  kStopAccepting,
  kStopTimers,
  kFlushLanes,
  kFinalDrain,
  kSync,
  kCancelDuration,
  kRelease,
  kDone,
};
inline constexpr size_t kShutdownPhaseCount = static_cast<size_t>(ShutdownPhase::kDone) - 1;
// `index` from 0, 'stop accepting', on; in lower case with underscores.
const char* ShutdownPhaseName(size_t index);
const char* ShutdownReasonName(ShutdownReason reason);

struct ShutdownReport {
  ShutdownReason reason = ShutdownReason::kNone;
  uint64_t total_ns = 0;
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
  // `shutdown_requested`: the region header's word; `waker`: the drain's.
  ShutdownManager(Word* shutdown_requested, Waker* waker)
      : shutdown_requested_(shutdown_requested), waker_(waker) {}

  // True: this call began it.
  bool Request(ShutdownReason reason);
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
  std::mutex mutex_;
  std::condition_variable done_;
};

}  // namespace spprof
