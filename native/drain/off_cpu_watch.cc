#include "drain/off_cpu_watch.h"

#include <algorithm>

#include "platform/threads.h"

namespace spprof {

namespace {

constexpr size_t kLookedAtOnce = 128;
// Off the CPU for so long in all, a thread's stack is walked.
constexpr int64_t kWorthWalkingNs = 5'000'000;
// For all walks of one visit, of which there are a hundred a second at most: 5 % of a CPU. Who has
// to wait is walked at a later one, and its time is told then.
constexpr uint64_t kWalksNs = 500'000;
// So often a sleep is told while it lasts: no more of it is lost when the process is killed.
constexpr int64_t kTellEveryNs = 500'000'000;
// Where the kernel does not tell where a thread sleeps, it is asked again, but ever less often; the
// same holds for a thread that may turn out to run JavaScript.
constexpr uint64_t kPatienceNs = 20'000'000;
constexpr uint64_t kLongestPatienceNs = 60'000'000'000;
// Waits for a CPU that are shorter are left to the sleep that is found next.
constexpr int64_t kWorthTellingNs = 1'000'000;

}  // namespace

uint64_t OffCpuWatch::CountedNow() const {
  const uint64_t paused_ns = sampler_->Report().paused_ns;
  return MonotonicNow() - paused_ns;
}

void OffCpuWatch::Visit() {
  if (sampler_->IsPaused()) return;
  const uint64_t now_ns = CountedNow();
  for (const ThreadClock& clock : sampler_->ReadClocks(kLookedAtOnce)) Look(clock, now_ns);
  FindPlaces();
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
  if (thread.is_asleep && clock.cpu_ns == thread.asleep_cpu_ns) {
    if (thread.off_cpu_ns >= kTellEveryNs)
      Tell(clock.slot, &thread, thread.asleep_at, thread.off_cpu_ns);
    return;
  }
  if (thread.is_asleep) {
    // It has run since the last look, nobody knows when. On average one half of the time between
    // was before, where it was, and the other half is where it will be found.
    thread.is_asleep = false;
    const int64_t kept_ns = std::max<int64_t>(since_ns, 0) / 2;
    Tell(clock.slot, &thread, thread.asleep_at, thread.off_cpu_ns - kept_ns);
    thread.run_delay_ns = sampler_->RunDelayNs(clock.slot, clock.generation);
  }
  if (thread.off_cpu_ns >= kWorthWalkingNs && now_ns >= thread.not_before_ns)
    wanted_.push_back(clock.slot);
}

void OffCpuWatch::FindPlaces() {
  std::sort(wanted_.begin(), wanted_.end(), [this](uint32_t a, uint32_t b) {
    return threads_[a].off_cpu_ns > threads_[b].off_cpu_ns;
  });
  const uint64_t end_ns = MonotonicNow() + kWalksNs;
  for (const uint32_t slot : wanted_) {
    FindPlace(slot, &threads_[slot]);
    if (MonotonicNow() >= end_ns) break;
  }
  wanted_.clear();
}

void OffCpuWatch::FindPlace(uint32_t slot, Thread* thread) {
  TellWaitForCpu(slot, thread);
  if (thread->off_cpu_ns < kWorthWalkingNs) return;
  SleepWalk walk;
  const SleepWalkResult result = sampler_->WalkSleeper(slot, thread->generation, &walk);
  if (!walk.definitions.empty()) {
    SleeperDetailsRecord details{};
    details.slot = slot;
    details.generation = thread->generation;
    details.size = static_cast<uint32_t>(walk.definitions.size());
    log_->AddControl(details, RecordType::kSleeperDetails, walk.definitions);
  }
  if (!sampler_->IsSelected(slot)) {
    BePatient(thread);
    return;
  }
  switch (result) {
    case SleepWalkResult::kAwake:
    case SleepWalkResult::kNoRoom:
      return;
    case SleepWalkResult::kWoken:
      woken_++;
      return;
    case SleepWalkResult::kUnreadable:
      unreadable_++;
      BePatient(thread);
      return;
    case SleepWalkResult::kWalked:
      break;
  }
  walked_++;
  if ((walk.state & kStateIncomplete) != 0) incomplete_++;
  thread->patience_ns = kPatienceNs;
  thread->is_asleep = true;
  thread->asleep_at = {walk.stack_id, walk.label, walk.state};
  thread->asleep_cpu_ns = walk.cpu_ns;
}

void OffCpuWatch::BePatient(Thread* thread) {
  thread->not_before_ns = thread->last_ns + thread->patience_ns;
  thread->patience_ns = std::min(thread->patience_ns * 2, kLongestPatienceNs);
}

void OffCpuWatch::TellWaitForCpu(uint32_t slot, Thread* thread) {
  const std::optional<uint64_t> now_ns = sampler_->RunDelayNs(slot, thread->generation);
  if (!now_ns.has_value() || !sampler_->IsSelected(slot)) return;
  if (!thread->run_delay_ns.has_value()) {
    thread->run_delay_ns = now_ns;
    return;
  }
  const auto waited_ns =
      std::min(static_cast<int64_t>(*now_ns - *thread->run_delay_ns), thread->off_cpu_ns);
  if (waited_ns < kWorthTellingNs) return;
  thread->run_delay_ns = now_ns;
  Tell(slot, thread, thread->sampled_at, waited_ns);
}

void OffCpuWatch::OnSample(uint32_t slot, uint32_t generation, const SampleRecord& sample) {
  if (slot >= threads_.size()) return;
  Thread& thread = threads_[slot];
  if (!thread.is_known || thread.generation != generation) return;
  thread.sampled_at = {sample.stack_id, sample.header.flags, sample.state};
}

void OffCpuWatch::Tell(uint32_t slot, Thread* thread, const Place& place, int64_t wall_ns) {
  if (wall_ns <= 0) return;
  OffCpuRecord record{};
  record.header.flags = static_cast<uint16_t>(place.state & kOffCpuStates);
  record.slot = slot;
  record.generation = thread->generation;
  record.time_ns = MonotonicNow();
  record.wall_ns = static_cast<uint64_t>(wall_ns);
  record.stack_id = place.stack_id;
  record.label = place.label;
  log_->AddControl(record, RecordType::kOffCpu, "");
  thread->off_cpu_ns -= wall_ns;
}

void OffCpuWatch::Forget(uint32_t slot) {
  if (slot >= threads_.size()) return;
  Thread& thread = threads_[slot];
  if (thread.is_known && sampler_->IsSelected(slot))
    Tell(slot, &thread, thread.asleep_at, thread.off_cpu_ns);
  thread = Thread();
}

void OffCpuWatch::Finish() {
  const uint64_t now_ns = CountedNow();
  for (const ThreadClock& clock : sampler_->ReadClocks(SIZE_MAX)) Look(clock, now_ns);
  wanted_.clear();
  for (uint32_t slot = 0; slot < threads_.size(); slot++) Forget(slot);
  log_->AddStat("sleeps.walked", walked_);
  log_->AddStat("sleeps.incomplete", incomplete_);
  log_->AddStat("sleeps.woken", woken_);
  log_->AddStat("sleeps.unreadable", unreadable_);
}

}  // namespace spprof
