// What sets off samples, by engine (docs/design/time-and-weights.md; signal_safe/ticks/engines.h
// says what their signals mean): for each thread a timer on its CPU clock, and with hires two on
// the monotonic clock, with perf an event of the kernel's task clock; or the process's interval
// timer.
//
//   Start ──▶ armed ──Pause──▶ disarmed ──Resume──▶ armed ──▶ … ──▶ Delete
//
// A pause disarms and sets again (timer_settime), and creates nothing.
//
// Context: control side, under the sampler's lock.
//
// clang-format off
// | word                        | writer  | reader  | order   | what for                                                         |
// | HandlerContext::is_paused   | control | handler | seq_cst | Dekker: a handler sets its timer, then looks; control sets it,   |
// |                             |         |         |         | then disarms: a timer is never left armed in a pause             |
// | HandlerContext::interval_ns | control | handler | relaxed | orders nothing                                                   |
// | ThreadState::is_rearmed     | control, handler  | relaxed | the next tick's weight comes from the CPU clock                  |
// | ThreadState::paused_cpu_ns  | control | handler | relaxed | written before is_paused is cleared                              |
// clang-format on
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "platform/interval_timer.h"
#include "signal_safe/handler/handler_context.h"

namespace spprof {

class SampleTimers {
 public:
  explicit SampleTimers(HandlerContext* context) : context_(context) {}
  ~SampleTimers();
  SampleTimers(const SampleTimers&) = delete;
  SampleTimers& operator=(const SampleTimers&) = delete;

  // Before the first thread's, and after the last one's. ERR_SPPROF_TIMER: the engine cannot be
  // used here.
  Status Begin(uint32_t max_threads);
  static Status Check(TimerEngine engine);
  void End();

  // The timers of the thread that has got `slot`. Armed, unless there is a pause.
  Status Start(uint32_t slot, pid_t tid);
  // The first tick comes when the thread has used an interval of CPU time; with tick and hires, at
  // the kernel's next. Does nothing in a pause.
  void Arm(uint32_t slot);
  void Disarm(uint32_t slot);
  void Delete(uint32_t slot, pid_t tid);

  // perf: why threads have no event, and samples at the kernel's tick only; empty: all have one.
  const std::string& shortage() const { return shortage_; }
  // perf: whether the program has closed the thread's event since the last call.
  bool HasLostEvent(uint32_t slot);

  // For a pause: everybody is told, then each thread's timers are disarmed; at its end what each
  // has used meanwhile is taken out of its clock, and when everybody has been told again, each is
  // armed.
  void SetPaused(bool is_paused);
  bool is_paused() const { return context_->ticks.is_paused.load(std::memory_order_seq_cst) != 0; }
  void BeginPause(uint32_t slot, pid_t tid);
  void EndPause(uint32_t slot, pid_t tid);

  // Of ticks from now on; timers that are armed run on until Arm.
  void SetInterval(uint64_t interval_ns);
  uint64_t interval_ns() const {
    return context_->ticks.interval_ns.load(std::memory_order_relaxed);
  }

 private:
  Status CreateTimers(uint32_t slot, pid_t tid);
  uint64_t IntervalTimerNs() const;
  bool IsProcessWide() const { return context_->ticks.engine == TimerEngine::kItimer; }

  HandlerContext* context_;
  std::vector<Sequence> thread_words_;
  std::string shortage_;
  IntervalTimer process_timer_;  // itimer
  bool has_begun_ = false;       // it is set
};

}  // namespace spprof
