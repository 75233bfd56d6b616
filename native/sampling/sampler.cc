#include "sampling/sampler.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <unordered_set>

#include "platform/fault_handler.h"
#include "platform/perf_event.h"
#include "platform/posix_timer.h"
#include "platform/signal_names.h"
#include "platform/threads.h"
#include "registry/totals.h"
#include "sampling/fork_guard.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/timer_value.h"
#include "v8/gc_hooks.h"

namespace spprof {

namespace {

// A signal's frame and the handler take some 8 KB, and as much again if a guarded load faults.
constexpr size_t kSmallStackBytes = 64 * 1024;

// How large the thread's stack is cannot be told yet. One that libc has not made stays so, and is
// known by the CPU time that it has used.
bool IsBeingBorn(pid_t tid) {
  constexpr uint64_t kBirthCpuNs = 1'000'000;
  return !IsSetUpByLibc(tid) && ThreadCpuOf(tid) < kBirthCpuNs;
}

bool IsSameModule(const LoadedModule& a, const LoadedModule& b) {
  return a.range.start == b.range.start && a.range.end == b.range.end &&
         a.file_offset == b.file_offset && a.path == b.path;
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options, RegionMap* region, const V8Layout& v8,
                 uintptr_t v8_host_base, Waker* waker)
    : options_(options),
      region_(region),
      registry_(region),
      context_(std::make_unique<HandlerContext>()),
      timers_(context_.get()),
      signal_(context_.get()),
      v8_host_base_(v8_host_base),
      timer_watch_(options.engine, options.interval_ns),
      overhead_guard_(options.max_overhead),
      sleep_walker_(context_.get()) {
  context_->region = region->base();
  context_->header = region->header();
  context_->geometry = region->geometry();
  context_->v8 = v8;
  context_->walk.max_frames = options.max_frames;
  // To the root of a very long stack, at some 50 ns a frame, only where the next tick is far away.
  // (A shorter interval later leaves that as it is.)
  context_->walk.max_frames_beyond = options.interval_ns >= 1'000'000 ? 1024 : 0;
  context_->walk.native_frames = options.native_frames;
  context_->javascript_threads_only = options.javascript_threads_only;
  context_->ticks.engine = options.engine;
  context_->ticks.interval_ns = options.interval_ns;
  context_->waker = waker;
#ifdef AT_MINSIGSTKSZ
  const size_t frame_bytes = getauxval(AT_MINSIGSTKSZ);
  if (frame_bytes != 0) context_->signal_frame_bytes = frame_bytes;
#endif
  const bool is_any = options.signal == kAnySignal;
  if (!is_any) {
    context_->signal = options.signal;
  } else if (options.engine == TimerEngine::kItimer) {
    context_->signal = SIGPROF;  // the interval timer sends no other
  } else {
    context_->signal = options.engine == TimerEngine::kPerf ? FreeStandardSignal() : FreeSignal();
  }
}

Status Sampler::Start() {
  context_->state_stride = AlignUp(ThreadState::SizeFor(options_.max_frames), kRegionPage);
  states_size_ = context_->state_stride * region_->header()->max_threads;
  // Addresses only: a slot's pages become usable when a thread gets it, so that nothing is charged
  // for those that never come.
  void* states =
      mmap(nullptr, states_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (states == MAP_FAILED)
    return Status::System("mmap", errno, "reserving memory for thread states");
  context_->states = static_cast<uint8_t*>(states);

  RefreshModules();
  Status status = InstallFaultHandler();
  if (!status.ok()) return status;
  InstallForkGuard(context_->signal);

  SetHandlerContext(context_.get());
  status = signal_.Install();
  if (!status.ok()) {
    SetHandlerContext(nullptr);
    return status;
  }
  if (signal_.HadHandler()) {
    Warn(
        "the program has a handler for " + SignalName(context_->signal) +
        " already: if it is taken away while the recording runs (V8's own profiler does that), the "
        "next sample's signal ends the process; the option signal chooses another one");
  }
  delivery_ns_ = signal_.MeasureDelivery();
  status = timers_.Begin(region_->header()->max_threads);
  if (!status.ok()) {
    signal_.Restore();
    SetHandlerContext(nullptr);
    if (!WaitForHandlers(MonotonicNow() + kHandlersWaitNs)) Abandon();
    return status;
  }
  {
    std::lock_guard lock(mutex_);
    state_ = State::kRunning;
    region_->header()->accepting_registrations.store(1, std::memory_order_release);  // H3
    region_->header()->accepting_samples.store(1, std::memory_order_relaxed);
  }
  ScanThreads();
  return Status::Ok();
}

void Sampler::StopSilenced() {
  is_silenced_ = true;
  timers_.End();
  for (const auto& [tid, slot] : registry_.by_tid()) timers_.Delete(slot, tid);
  Warn("another handler has taken " + SignalName(context_->signal) +
       " (a listener, or another profiler) and keeps our signals: sampling has ended; the option "
       "signal chooses another one");
}

bool Sampler::HasThreadGone() {
  constexpr size_t kAskedFor = 128;  // of more than these, some each time, in turn
  const size_t count = std::min(last_threads_.size(), kAskedFor);
  for (size_t i = 0; i < count; i++) {
    next_asked_for_ = (next_asked_for_ + 1) % last_threads_.size();
    if (!ThreadExists(last_threads_[next_asked_for_])) return true;
  }
  return false;
}

void Sampler::ScanThreads() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning) return;
  registry_.PrepareSlots();
  if (!is_silenced_) {
    RestartLostTimers();
    LookAtMasks();
  }
  // A listing of a dozen threads costs some 6 us, of a thousand a hundred times that. So many are
  // listed only when their number has changed or one has gone (another may have come in its place),
  // and now and then.
  constexpr int kFullScanEvery = 10;
  constexpr size_t kManyThreads = 64;
  const bool is_full_scan = scans_++ % kFullScanEvery == 0;
  const size_t known = last_threads_.size();
  if (!is_full_scan && known > kManyThreads && CountThreads() == known && !HasThreadGone()) return;
  const std::vector<pid_t>& tids = lister_.List();
  if (tids.empty() || (!is_full_scan && tids == last_threads_)) return;
  last_threads_ = tids;
  if (is_full_scan && !is_silenced_ && !signal_.Check(*region_)) StopSilenced();
  if (is_silenced_) return;
  for (pid_t tid : tids) {
    if (registry_.FindByTid(tid) != kNoSlot) continue;
    if (std::find(excluded_.begin(), excluded_.end(), tid) != excluded_.end()) continue;
    if (MonotonicNow() < no_timers_until_ns_) break;
    if (IsBeingBorn(tid)) {
      last_threads_.clear();  // the next scan looks again
      continue;
    }
    const std::string name = ThreadName(tid);
    const uint32_t slot =
        AddThread(tid, tid == getpid() ? ThreadKind::kMain : ThreadKind::kNative, name);
    if (slot != kNoSlot && tid != getpid()) young_threads_[tid] = {name, MonotonicNow()};
  }
  if (is_full_scan && region_->slot_count() != 0) RetireReusedId();
  if (is_full_scan) LookAtUnsampled();
  if (is_full_scan && options_.engine == TimerEngine::kPerf) LookAtEvents();
  if (is_full_scan) ReadNamesAgain();
  const std::unordered_set<pid_t> alive(tids.begin(), tids.end());
  std::vector<uint32_t> gone;
  for (const auto& [tid, slot] : registry_.by_tid()) {
    if (alive.count(tid) == 0) gone.push_back(slot);
  }
  for (uint32_t slot : gone) RemoveThread(slot);
  if (!gone.empty()) no_timers_until_ns_ = 0;
}

// A thread that has gone and whose id has been given to another between two listings would leave
// the new one without a timer. Ids are given in a circle, so this takes a whole turn of it; one
// slot each time is looked at, in turn.
void Sampler::RetireReusedId() {
  next_checked_slot_ = (next_checked_slot_ + 1) % region_->slot_count();
  const ThreadLaneSet* lanes = region_->Slot(next_checked_slot_);
  const auto tid = static_cast<pid_t>(lanes->tid);
  if (registry_.FindByTid(tid) != next_checked_slot_) return;
  const uint64_t start_ticks = ThreadStartTicks(tid);
  if (start_ticks == 0 || start_ticks == lanes->start_ticks) return;
  RemoveThread(next_checked_slot_);
  if (IsBeingBorn(tid)) {
    last_threads_.clear();
    return;
  }
  AddThread(tid, ThreadKind::kNative, ThreadName(tid));
}

bool Sampler::RegisterCurrentThread(ThreadKind kind, const std::string& name) {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning || is_silenced_) return false;
  const pid_t tid = CurrentThreadId();
  uint32_t slot = registry_.FindOwn();
  if (slot == kNoSlot) {
    slot = AddThread(tid, kind, name);
  } else {
    ThreadLaneSet* lanes = region_->Slot(slot);
    lanes->kind.store(static_cast<uint32_t>(kind), std::memory_order_relaxed);
    if (!name.empty()) {
      std::fill(std::begin(lanes->name), std::end(lanes->name), '\0');
      std::copy_n(name.data(), std::min(name.size(), sizeof(lanes->name) - 1), lanes->name);
    }
  }
  if (slot == kNoSlot) return false;
  context_->State(slot)->is_left_out.store(0, std::memory_order_relaxed);
  thread_version_.fetch_add(1, std::memory_order_release);
  if (InstallGcHook()) AttachGcHook(tid, context_.get(), slot);
  return true;
}

bool Sampler::LeaveOutCurrentThread() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning) return false;
  const uint32_t slot = registry_.FindOwn();
  if (slot == kNoSlot) return false;
  context_->State(slot)->is_left_out.store(1, std::memory_order_relaxed);
  return true;
}

void Sampler::Exclude(pid_t tid) {
  std::lock_guard lock(mutex_);
  excluded_.push_back(tid);
  const uint32_t slot = registry_.FindByTid(tid);
  if (slot != kNoSlot) RemoveThread(slot);
}

uint32_t Sampler::AddThread(pid_t tid, ThreadKind kind, const std::string& name) {
  const uint32_t slot = registry_.Claim(tid, kind, name, ThreadStartTicks(tid));
  if (slot == kNoSlot) {
    const std::string failure = registry_.Failure();
    Warn(failure.empty()
             ? "more than " + std::to_string(region_->header()->max_threads) +
                   " threads: those beyond are not sampled; raise maxThreads"
             : "threads are not sampled, because there is no room for their samples: " + failure);
    return kNoSlot;
  }
  ThreadState* state = context_->State(slot);
  Status room = region_->ReserveRings(slot);
  if (room.ok() && mprotect(state, context_->state_stride, PROT_READ | PROT_WRITE) != 0) {
    room = Status::System("mprotect", errno, "making room for the state of a thread");
  }
  if (!room.ok()) {
    registry_.Retire(slot);
    region_->header()->threads_refused.fetch_add(1, std::memory_order_relaxed);
    Warn("a thread is not sampled: " + room.message());
    return kNoSlot;
  }
  madvise(state, context_->state_stride, MADV_NOHUGEPAGE);
  state->ticks.cpu_timer.store(kNoTimer, std::memory_order_relaxed);
  for (auto& timer : state->ticks.hires_timers) timer.store(kNoTimer, std::memory_order_relaxed);
  state->ticks.perf_event.store(kNoPerfEvent, std::memory_order_relaxed);
  state->ticks.random =
      0x9e3779b97f4a7c15 ^ (static_cast<uint64_t>(tid) << 32) ^ kernel::MonotonicNs();
  state->ticks.last_cpu_ns = ThreadCpuOf(tid);
  AttachGcHook(tid, context_.get(), slot);
  registry_.Activate(slot);
  thread_version_.fetch_add(1, std::memory_order_release);
  if (HasSmallStack(tid, kSmallStackBytes)) {
    small_stacks_.insert(slot);
    return slot;
  }
  if (context_->ticks.engine != TimerEngine::kItimer && BlocksTicks(tid).value_or(false)) {
    blocking_.insert(slot);
    static_cast<void>(mask_watch_.IsDue(slot, *region_->Slot(slot)));  // from now on
    return slot;
  }
  const Status status = timers_.Start(slot, tid);
  if (!timers_.shortage().empty()) Warn(timers_.shortage());
  if (!status.ok()) {
    RemoveThread(slot);
    // ESRCH and EINVAL: the thread has ended meanwhile.
    if (status.error_number() != ESRCH && status.error_number() != EINVAL) {
      // Each attempt takes a slot and is noted in the log: not at every scan.
      constexpr uint64_t kRetryNs = 1'000'000'000;
      no_timers_until_ns_ = MonotonicNow() + kRetryNs;
      if (!has_warned_of_timers_) Warn(status.message());
      has_warned_of_timers_ = true;
    }
    return kNoSlot;
  }
  return slot;
}

// Threads that have no timer. (Node.js has one with a small stack, that sleeps: SignalInspector.)
void Sampler::LookAtUnsampled() {
  constexpr uint64_t kShortNs = 5'000'000, kLongNs = 20'000'000;
  for (uint32_t slot : small_stacks_) {
    WarnOfWork(slot, kShortNs,
               "threads with less than " + std::to_string(kSmallStackBytes / 1024) +
                   " KB of stack have worked, and are not sampled: a signal could leave them "
                   "no room");
  }
  for (uint32_t slot : blocking_) {  // some of them for a moment only
    WarnOfWork(slot, kLongNs,
               "threads that block " + SignalName(context_->signal) +
                   " have worked, and are not sampled while they do");
  }
}

void Sampler::WarnOfWork(uint32_t slot, uint64_t at_least_ns, const std::string& warning) {
  const auto tid = static_cast<pid_t>(region_->Slot(slot)->tid);
  if (tid == 0) return;  // the region has been lost
  if (ThreadCpuOf(tid) < context_->State(slot)->ticks.last_cpu_ns + at_least_ns) return;
  if (warned_of_.insert(tid).second)
    region_->header()->threads_refused.fetch_add(1, std::memory_order_relaxed);
  Warn(warning);
}

void Sampler::Describe(uint32_t slot, ThreadRecord* record, std::string* name) {
  std::lock_guard lock(mutex_);  // a thread may be naming itself
  const ThreadLaneSet* lanes = region_->Slot(slot);
  record->slot = slot;
  record->generation = lanes->generation.load(std::memory_order_acquire);  // S4
  record->tid = lanes->tid;
  record->kind = lanes->kind.load(std::memory_order_relaxed);
  record->start_ticks = lanes->start_ticks;
  name->assign(lanes->name, strnlen(lanes->name, sizeof(lanes->name)));
  record->name_length = static_cast<uint32_t>(name->size());
}

void Sampler::RemoveThread(uint32_t slot) {
  small_stacks_.erase(slot);
  blocking_.erase(slot);
  timers_.Delete(slot, static_cast<pid_t>(region_->Slot(slot)->tid));
  registry_.Retire(slot);
}

void Sampler::Release(uint32_t slot) {
  std::lock_guard lock(mutex_);
  SeeHandlersOf(slot);
  sleep_walker_.Forget(slot);
  // The next thread in this slot begins with empty tables. Nobody reads them: the generation
  // changes before a timer exists.
  madvise(context_->State(slot), context_->state_stride, MADV_DONTNEED);
  registry_.Release(slot);
}

std::vector<LoadedModule> Sampler::RefreshModules() {
  std::vector<LoadedModule> now = ListModules(v8_host_base_);
  std::lock_guard lock(mutex_);
  std::vector<LoadedModule> fresh;
  for (const LoadedModule& module : now) {
    if (std::none_of(modules_.begin(), modules_.end(), [&module](const LoadedModule& known) {
          return IsSameModule(known, module);
        })) {
      fresh.push_back(module);
    }
  }
  if (fresh.empty() && now.size() == modules_.size() && !tables_.empty()) return fresh;
  auto ranges = std::make_unique<ModuleRange[]>(now.size());
  for (size_t i = 0; i < now.size(); i++) ranges[i] = now[i].range;
  auto table = std::make_unique<ModuleTable>();
  table->ranges = ranges.get();
  table->count = now.size();
  context_->modules.store(table.get(), std::memory_order_release);
  ranges_.push_back(std::move(ranges));
  tables_.push_back(std::move(table));
  modules_ = std::move(now);
  return fresh;
}

void Sampler::Warn(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end())
    warnings_.push_back(text);
}

std::vector<std::string> Sampler::TakeWarnings() {
  std::lock_guard lock(mutex_);
  return std::move(warnings_);
}

}  // namespace spprof
