#include "drain/off_cpu_watch.h"

#include <algorithm>

#include "platform/threads.h"

namespace spprof {

namespace {

constexpr size_t kLookedAtOnce = 128;
// Off the CPU for so long in all, a thread is asked where it is.
constexpr int64_t kWorthAskingNs = 5'000'000;
// A thread that goes back to sleep after it has been asked uses some CPU time on the way.
constexpr uint64_t kBackToSleepNs = 100'000;
// So often a sleep is told while it lasts: no more of it is lost when the process is killed.
constexpr int64_t kTellEveryNs = 500'000'000;
// A thread that does not answer is asked again: a signal that comes while another is pending is
// lost. But ever less often: it may block the signal, or not be one to be sampled.
constexpr uint64_t kPatienceNs = 20'000'000;
constexpr uint64_t kLongestPatienceNs = 60'000'000'000;

}  // namespace

uint64_t OffCpuWatch::CountedNow() const {
  const uint64_t paused_ns = sampler_->Report().paused_ns;
  return MonotonicNow() - paused_ns;
}

void OffCpuWatch::Visit() {
  if (sampler_->IsPaused()) return;
  const uint64_t now_ns = CountedNow();
  for (const ThreadClock& clock : sampler_->ReadClocks(kLookedAtOnce)) Look(clock, now_ns);
}

void OffCpuWatch::Look(const ThreadClock& clock, uint64_t now_ns) {
  if (clock.slot >= threads_.size()) threads_.resize(clock.slot + 1);
  Thread& thread = threads_[clock.slot];
  if (!thread.is_known || thread.generation != clock.generation) {
    thread = Thread();
    thread.is_known = true;
    thread.generation = clock.generation;
    thread.last_ns = now_ns;
    thread.last_cpu_ns = clock.cpu_ns;
    thread.patience_ns = kPatienceNs;
    return;
  }
  const int64_t since_ns = static_cast<int64_t>(now_ns - thread.last_ns) -
                           static_cast<int64_t>(clock.cpu_ns - thread.last_cpu_ns);
  thread.off_cpu_ns += since_ns;
  thread.last_ns = now_ns;
  thread.last_cpu_ns = clock.cpu_ns;
  if (thread.is_asleep && clock.cpu_ns - thread.stack_cpu_ns <= kBackToSleepNs) {
    if (thread.off_cpu_ns >= kTellEveryNs) Tell(clock.slot, &thread, 0);
    return;
  }
  if (thread.is_asleep) {
    // It has run since the last look, nobody knows when. On average one half of the time between
    // was before, where it was, and the other half is where it will be found.
    thread.is_asleep = false;
    Tell(clock.slot, &thread, std::max<int64_t>(since_ns, 0) / 2);
  }
  if (thread.off_cpu_ns >= kWorthAskingNs) Ask(clock.slot, &thread, now_ns);
}

void OffCpuWatch::Ask(uint32_t slot, Thread* thread, uint64_t now_ns) {
  if (thread->is_asked) {
    if (now_ns - thread->asked_ns < thread->patience_ns) return;
    thread->patience_ns = std::min(thread->patience_ns * 2, kLongestPatienceNs);
  }
  thread->is_asked = true;
  thread->asked_ns = now_ns;
  sampler_->Probe(slot, thread->generation);
}

void OffCpuWatch::OnProbe(uint32_t slot, uint32_t generation, const SampleRecord& sample) {
  if (slot >= threads_.size()) return;
  Thread& thread = threads_[slot];
  if (!thread.is_known || thread.generation != generation) return;
  thread.is_asked = false;
  thread.patience_ns = kPatienceNs;
  thread.is_asleep = true;
  thread.stack_id = sample.stack_id;
  thread.label = sample.header.flags;
  thread.stack_cpu_ns = sample.cpu_ns;
}

void OffCpuWatch::Tell(uint32_t slot, Thread* thread, int64_t kept_ns) {
  if (thread->off_cpu_ns <= kept_ns) return;
  OffCpuRecord record{};
  record.slot = slot;
  record.generation = thread->generation;
  record.time_ns = MonotonicNow();
  record.wall_ns = static_cast<uint64_t>(thread->off_cpu_ns - kept_ns);
  record.stack_id = thread->stack_id;
  record.label = thread->label;
  log_->AddControl(record, RecordType::kOffCpu, "");
  thread->off_cpu_ns = kept_ns;
}

void OffCpuWatch::Forget(uint32_t slot) {
  if (slot >= threads_.size()) return;
  Thread& thread = threads_[slot];
  const bool is_wanted = thread.stack_id != 0 || !sampler_->options().javascript_threads_only;
  if (thread.is_known && is_wanted) Tell(slot, &thread, 0);
  thread = Thread();
}

void OffCpuWatch::Finish() {
  const uint64_t now_ns = CountedNow();
  for (const ThreadClock& clock : sampler_->ReadClocks(SIZE_MAX)) Look(clock, now_ns);
  for (uint32_t slot = 0; slot < threads_.size(); slot++) Forget(slot);
}

}  // namespace spprof
