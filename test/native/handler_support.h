// A handler without timers: a region, slots, thread states and the modules of this process, so that
// signals can be made by hand, and what they wrote be read back.
//
// Context: tests and benches only.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "log/lane_stream.h"
#include "platform/fault_handler.h"
#include "platform/modules.h"
#include "platform/region_map.h"
#include "registry/thread_registry.h"
#include "registry/totals.h"
#include "signal_safe/handler/handler.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof::test {

inline uint64_t DroppedSum(const Totals& totals) {
  uint64_t sum = 0;
  for (uint64_t dropped : totals.dropped) sum += dropped;
  return sum;
}

class HandlerHarness {
 public:
  explicit HandlerHarness(uint32_t max_threads = 64, uint32_t max_frames = 512,
                          const RegionGeometry& geometry = {}, uintptr_t v8_host_base = 0) {
    if (!RegionMap::Create("", max_threads, geometry, &region_).ok()) std::abort();
    region_->header()->accepting_registrations.store(1);
    region_->header()->accepting_samples.store(1);
    registry_ = std::make_unique<ThreadRegistry>(region_.get());
    modules_ = ListModules(v8_host_base);
    for (const LoadedModule& module : modules_) ranges_.push_back(module.range);
    table_.ranges = ranges_.data();
    table_.count = ranges_.size();
    context_.region = region_->base();
    context_.header = region_->header();
    context_.geometry = region_->geometry();
    context_.state_stride = AlignUp(ThreadState::SizeFor(max_frames), kRegionPage);
    states_size_ = context_.state_stride * max_threads;
    void* states = mmap(nullptr, states_size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (states == MAP_FAILED) std::abort();
    context_.states = static_cast<uint8_t*>(states);
    context_.modules.store(&table_);
    context_.walk.max_frames = max_frames;
    context_.ticks.interval_ns = 1'000'000;
    context_.waker = &waker_;
    if (!InstallFaultHandler().ok()) std::abort();
    SetHandlerContext(&context_);
  }
  ~HandlerHarness() {
    SetHandlerContext(nullptr);
    static_cast<void>(WaitForHandlers(UINT64_MAX));
    UninstallFaultHandler();
    munmap(context_.states, states_size_);
  }
  HandlerHarness(const HandlerHarness&) = delete;
  HandlerHarness& operator=(const HandlerHarness&) = delete;

  HandlerContext& context() { return context_; }
  const std::vector<LoadedModule>& modules() const { return modules_; }
  RegionMap* region() { return region_.get(); }
  ThreadRegistry& registry() { return *registry_; }
  ThreadLaneSet* Slot(uint32_t slot) { return region_->Slot(slot); }
  ThreadState* State(uint32_t slot) { return context_.State(slot); }

  uint32_t AddThread() {
    const uint32_t slot = registry_->Claim(next_tid_++, ThreadKind::kNative, "test", 0);
    State(slot)->ticks.cpu_timer = State(slot)->ticks.perf_event = -1;
    for (auto& timer : State(slot)->ticks.hires_timers) timer = -1;
    State(slot)->ticks.random = 0x9e3779b97f4a7c15 + slot;
    registry_->Activate(slot);
    return slot;
  }

  // What the timer of `slot` sends.
  siginfo_t Tick(uint32_t slot, int overruns = 0, TickSource source = TickSource::kCpuTimer) {
    siginfo_t info;
    std::memset(&info, 0, sizeof(info));
    info.si_signo = SIGPROF;
    info.si_code = SI_TIMER;
    info.si_overrun = overruns;
    const TimerValue value{slot, Slot(slot)->generation.load(), source};
    info.si_value.sival_ptr = reinterpret_cast<void*>(value.Encode());
    return info;
  }
  // As the kernel would, with the registers of here.
  static void Deliver(siginfo_t info, bool blocks_faults = false) {
    ucontext_t here{};
    getcontext(&here);
    sigemptyset(&here.uc_sigmask);
    if (blocks_faults) sigaddset(&here.uc_sigmask, SIGSEGV);
    HandleProfilingSignal(info.si_signo, &info, &here);
  }

  // Empties the slot's index lane.
  std::vector<SampleRecord> TakeSamples(uint32_t slot) {
    std::vector<SampleRecord> samples;
    ForEach(&Slot(slot)->index, [&](const RecordView& record) {
      SampleRecord sample;
      if (record.Read(&sample)) samples.push_back(sample);
    });
    return samples;
  }
  // Empties the slot's detail lane; stacks by id.
  std::map<uint32_t, std::vector<Frame>> TakeStacks(uint32_t slot) {
    std::map<uint32_t, std::vector<Frame>> stacks;
    ForEach(&Slot(slot)->detail, [&](const RecordView& record) {
      StackRecord stack;
      if (record.header.type != RecordType::kStack || !record.Read(&stack)) return;
      std::vector<Frame> frames(stack.frame_count);
      std::memcpy(frames.data(), record.bytes.data() + sizeof(stack),
                  frames.size() * sizeof(Frame));
      stacks[stack.stack_id] = std::move(frames);
    });
    return stacks;
  }
  // Empties the slot's detail lane; names that V8 holds as Latin-1, by function id.
  std::map<uint32_t, std::string> TakeFunctionNames(uint32_t slot) {
    std::map<uint32_t, std::string> names;
    ForEach(&Slot(slot)->detail, [&](const RecordView& record) {
      FunctionRecord function;
      std::string_view name;
      if (record.header.type == RecordType::kFunction && record.Read(&function) &&
          record.ReadText(sizeof(function), function.name_length, &name)) {
        names[function.function_id] = name;
      }
    });
    return names;
  }
  Totals Sum() const { return SumTotals(*region_); }

 private:
  void ForEach(Lane* lane, const RecordSink& sink) {
    std::vector<std::byte> all;
    LaneReader(lane, region_->base())
        .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
          const size_t at = all.size();
          all.resize(at + length);
          ring.Copy(reinterpret_cast<uint8_t*>(all.data()) + at, length);
        });
    bool is_damaged = false;
    if (ForEachRecord(all, sink, &is_damaged) != all.size()) std::abort();
  }

  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<ThreadRegistry> registry_;
  std::vector<LoadedModule> modules_;
  std::vector<ModuleRange> ranges_;
  ModuleTable table_;
  Waker waker_;
  HandlerContext context_;
  size_t states_size_ = 0;
  pid_t next_tid_ = 1000;
};

}  // namespace spprof::test
