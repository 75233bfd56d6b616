// The end of sampling: in phases, each of which may have to wait for handlers, and within a bound.
#include <sys/mman.h>

#include "platform/fault_handler.h"
#include "platform/threads.h"
#include "sampling/sampler.h"
#include "v8/gc_hooks.h"

namespace spprof {

Sampler::~Sampler() {
  Stop();
  if (is_abandoned_) {  // to a handler that may still be at work
    static_cast<void>(context_.release());
    for (auto& table : tables_) static_cast<void>(table.release());
    for (auto& ranges : ranges_) static_cast<void>(ranges.release());
    return;
  }
  if (context_->states != nullptr) munmap(context_->states, states_size_);
}

void Sampler::Stop() {
  StopAccepting();
  if (!FinishStopping(MonotonicNow() + kHandlersWaitNs)) Abandon();
}

void Sampler::Abandon() {
  std::lock_guard lock(mutex_);
  if (is_abandoned_) return;
  is_abandoned_ = true;
  for (const auto& [tid, slot] : registry_.by_tid()) timers_.Disarm(slot);
  LeaveSignal();
  AbandonHandlers();
}

void Sampler::LeaveSignal() {
  DetachGcHooks(context_.get());
  SetFormerAction(context_->previous);
  signal_.Restore();
  SetHandlerContext(nullptr);
  state_ = State::kIdle;
}

void Sampler::StopAccepting() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning) return;
  state_ = State::kNotAccepting;
  region_->header()->accepting_registrations.store(0, std::memory_order_release);  // H3
  region_->header()->accepting_samples.store(0, std::memory_order_seq_cst);
}

bool Sampler::StopTimers() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kNotAccepting) return true;
  timers_.End();
  bool is_quiet = true;
  for (const auto& [tid, slot] : registry_.by_tid()) {
    // No timer may be set once it is deleted and its id is anybody's. Handlers that begin now find
    // that samples are not accepted, and set none.
    if (IsHandlerQuiet(slot)) {
      timers_.Delete(slot, tid);
    } else {
      timers_.Disarm(slot);
      is_quiet = false;
    }
  }
  if (!is_quiet || !AreHandlersQuiet()) return false;
  LeaveSignal();
  // Those that have begun since find nothing to do.
  static_cast<void>(WaitForHandlers(MonotonicNow() + kHandlersWaitNs));
  // A mapped file is read until the last lane is empty, and its loss is the fault handler's.
  if (!region_->IsFileMapped()) UninstallFaultHandler();
  return true;
}

void Sampler::LeaveRegion() {
  std::lock_guard lock(mutex_);
  if (!region_->IsFileMapped() || !region_->Detach().ok()) return;  // then the handler stays
  if (state_ == State::kIdle && !is_abandoned_) UninstallFaultHandler();
}

bool Sampler::FinishStopping(uint64_t deadline_ns) {
  while (!StopTimers()) {
    if (!WaitForHandlers(deadline_ns)) return false;
  }
  return true;
}

}  // namespace spprof
