#include "signal_safe/handler.h"

#include <cerrno>

#include "signal_safe/definitions.h"
#include "signal_safe/guarded_load.h"
#include "signal_safe/kernel.h"
#include "signal_safe/timer_value.h"

namespace spprof {

namespace {

constinit std::atomic<HandlerContext*> g_context{nullptr};

// Handlers that run now, spread over lines so that threads on many cores do not meet.
constexpr size_t kInFlightShards = 32;
struct alignas(kCacheLine) InFlight {
  Word count{0};
};
constinit InFlight g_in_flight[kInFlightShards];

constexpr uint64_t kIdleNs =
    50'000'000;  // hires: how long the CPU clock stands still before the timer is disarmed

void Drop(ThreadLaneSet* lanes, DropReason reason) {
  AddOwned(lanes->counters.dropped[static_cast<size_t>(reason)], 1);
}

bool BlocksFaults(const ucontext_t& ucontext) {
  return sigismember(&ucontext.uc_sigmask, SIGSEGV) == 1 ||
         sigismember(&ucontext.uc_sigmask, SIGBUS) == 1;
}

// xorshift64 (Marsaglia 2003).
uint64_t NextRandom(ThreadState* state) {
  uint64_t x = state->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return state->random = x;
}

// Sets the next tick of the hires timer: on an even grid, which keeps the rate, but up to half an
// interval to either side of it, so that work which timers set off is not always met at the same
// point. Returns how many ticks were missed.
uint32_t ArmNextTick(HandlerContext* context, ThreadState* state, uint64_t now_ns) {
  const uint64_t interval = context->interval_ns;
  uint32_t missed = 0;
  uint64_t next = state->next_tick_ns + interval;
  if (next + interval / 2 < now_ns) {
    missed = static_cast<uint32_t>((now_ns - next) / interval);
    next += missed * interval;
    if (next < now_ns) next += interval;
  }
  state->next_tick_ns = next;
  const uint64_t jittered = next - interval / 2 + NextRandom(state) % interval;
  kernel::SetTimer(state->hires_timer, jittered > now_ns ? jittered : now_ns + 1, 0, true);
  return missed;
}

// Whether the signal woke the thread out of a system call: the kernel then returns -EINTR, or backs
// up to make the call again.
bool WasBlocked(const ucontext_t& ucontext) {
#if defined(__x86_64__)
  constexpr uint16_t kSyscall = 0x050f;
  const auto pc = static_cast<uintptr_t>(ucontext.uc_mcontext.gregs[REG_RIP]);
  uint16_t before, at;
  return (ucontext.uc_mcontext.gregs[REG_RAX] == -EINTR && GuardedLoad16(pc - 2, &before) &&
          before == kSyscall) ||
         (GuardedLoad16(pc, &at) && at == kSyscall);
#else
  static_cast<void>(ucontext);
  return false;
#endif
}

// Whether a thread that has used `used_ns` since its last sample was asleep, apart from being woken
// by us.
bool WasAsleep(uint64_t used_ns, uint64_t interval_ns, const ucontext_t& ucontext) {
  // What a signal costs a sleeping thread itself: waking, delivery, this handler. Up to some 40 us
  // on a virtual machine.
  constexpr uint64_t kOwnCostNs = 100'000;
  return used_ns < interval_ns / 8 || (used_ns < kOwnCostNs && WasBlocked(ucontext));
}

// The CPU time that this signal's sample stands for; 0: no sample is due.
uint64_t CpuSinceLastSample(HandlerContext* context, ThreadState* state, bool from_hires_timer,
                            uint32_t* overruns, uint64_t now_ns, const ucontext_t& ucontext) {
  if (context->engine == TimerEngine::kTick)
    return (uint64_t{1} + *overruns) * context->interval_ns;

  const uint64_t cpu = kernel::ThreadCpuNs();
  const uint64_t used = cpu - state->last_cpu_ns;
  if (!from_hires_timer) {  // the thread runs again
    state->idle_since_ns = 0;
    state->next_tick_ns = now_ns;
    *overruns = 0;
    ArmNextTick(context, state, now_ns);
    state->last_cpu_ns = cpu;
    return used;
  }
  if (WasAsleep(used, context->interval_ns, ucontext)) {
    if (state->idle_since_ns == 0) state->idle_since_ns = now_ns;
    if (now_ns - state->idle_since_ns > kIdleNs) {
      // From here on the thread's own CPU clock wakes us, so that a sleeping thread is left alone.
      kernel::SetTimer(state->cpu_timer, context->interval_ns, 0, false);
    } else {
      ArmNextTick(context, state, now_ns);
    }
    return 0;
  }
  state->idle_since_ns = 0;
  state->last_cpu_ns = cpu;
  *overruns = ArmNextTick(context, state, now_ns);
  return used;
}

// V8's state of the thread's current isolate. From V8 13 on, helper threads too have one while they work for it, so that this does not tell
// whether the thread runs JavaScript.
uint32_t VmState(const V8Layout& v8) {
  void* isolate = v8.try_get_current != nullptr ? v8.try_get_current() : nullptr;
  uint32_t state;
  if (isolate == nullptr || v8.isolate_vm_state == 0 ||
      !GuardedLoad32(reinterpret_cast<uintptr_t>(isolate) + v8.isolate_vm_state, &state)) {
    return kVmStateUnknown;
  }
  return state & 0xff;
}

void AddOwnedMax(Sequence& counter, uint64_t value) {
  if (value > counter.load(std::memory_order_relaxed))
    counter.store(value, std::memory_order_relaxed);
}

void Record(HandlerContext* context, ThreadLaneSet* lanes, ThreadState* state, uint64_t begin_ns,
            uint64_t cpu_ns, uint32_t overruns, const ucontext_t& ucontext) {
  const uint32_t vm_state = VmState(context->v8);
  const ModuleTable* modules = context->modules.load(std::memory_order_acquire);
  if (state->modules != modules) {  // rules of what has been unloaded since
    for (RuleCacheEntry& entry : state->rules) entry = RuleCacheEntry{};
    state->modules = modules;
  }

  WalkOptions options = context->walk;
  options.has_gc_frames = state->in_gc != 0;
  options.heap_is_moving = state->in_gc != 0 || vm_state == kVmStateGc;
  const V8Reader reader(context->v8, &state->known_maps);
  Definitions definitions(lanes, context->region, state, reader);
  Walker walker(*modules, context->v8, reader, state, &definitions, options);
  const WalkResult walk = walker.Walk(Registers::FromContext(ucontext));
  if (walk.has_javascript) lanes->has_javascript.store(1, std::memory_order_relaxed);
  const bool runs_javascript = lanes->has_javascript.load(std::memory_order_relaxed) != 0;
  if (context->javascript_threads_only && !runs_javascript &&
      lanes->kind.load(std::memory_order_relaxed) == static_cast<uint32_t>(ThreadKind::kNative)) {
    Drop(lanes, DropReason::kNotSelected);
    return;
  }
  const bool is_in_gc = state->in_gc != 0 || (runs_javascript && vm_state == kVmStateGc);

  const uint32_t stack_id =
      walk.is_lane_full ? 0 : definitions.StackId(state->frames, walk.frame_count);
  bool swapped = definitions.swapped();
  SampleRecord record{};
  record.header = {RecordType::kSample, 0, sizeof(SampleRecord)};
  record.time_ns = begin_ns;
  record.cpu_ns = cpu_ns + state->pending_cpu_ns;
  record.stack_id = stack_id;
  record.overruns = overruns;
  record.state = vm_state | (is_in_gc ? kStateInGc : 0) |
                 (walk.is_truncated ? kStateTruncated : 0) |
                 (walk.is_complete ? 0 : kStateIncomplete) |
                 (runs_javascript ? kStateRunsJavaScript : 0);

  LaneWriter index(&lanes->index, context->region);
  if (stack_id == 0) {
    Drop(lanes, DropReason::kDetailFull);
    state->pending_cpu_ns += cpu_ns;
    kernel::Wake(context->wake_fd);
  } else if (!index.Reserve(sizeof(record), &swapped)) {
    Drop(lanes, DropReason::kIndexFull);
    state->pending_cpu_ns += cpu_ns;
    kernel::Wake(context->wake_fd);
  } else {
    state->pending_cpu_ns = 0;
    const uint64_t took_ns = kernel::MonotonicNs() - begin_ns;
    record.handler_ns = static_cast<uint32_t>(took_ns);
    index.Write(&record, sizeof(record));
    AddOwned(lanes->counters.written, 1);
    AddOwned(lanes->counters.handler_total_ns, took_ns);
    AddOwnedMax(lanes->counters.handler_max_ns, took_ns);
    if (swapped) kernel::Wake(context->wake_fd);
  }
}

void Forward(const struct sigaction& previous, int signal, siginfo_t* info, void* ucontext) {
  if (previous.sa_flags & SA_SIGINFO) {
    if (previous.sa_sigaction != nullptr) previous.sa_sigaction(signal, info, ucontext);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  }
  // SIG_DFL would end the process. A stray SIGPROF is more likely the tail of somebody's profiler
  // than a wish to die.
}

}  // namespace

void SetHandlerContext(HandlerContext* context) {
  g_context.store(context, std::memory_order_seq_cst);
}
HandlerContext* GetHandlerContext() { return g_context.load(std::memory_order_seq_cst); }

void WaitForHandlers() {
  // A handler takes microseconds.
  for (const InFlight& shard : g_in_flight) {
    while (shard.count.load(std::memory_order_seq_cst) != 0) kernel::Call(SYS_sched_yield);
  }
}

void TakeSample(HandlerContext* context, uint32_t slot, bool from_hires_timer, int overruns,
                const ucontext_t& ucontext) {
  const uint64_t begin_ns = kernel::MonotonicNs();
  ThreadLaneSet* lanes = context->Slot(slot);
  ThreadState* state = context->State(slot);
  AddOwned(lanes->counters.signals, 1);
  uint32_t missed = overruns > 0 ? static_cast<uint32_t>(overruns) : 0;
  const uint64_t cpu_ns =
      CpuSinceLastSample(context, state, from_hires_timer, &missed, begin_ns, ucontext);
  if (missed != 0) AddOwned(lanes->counters.overruns, missed);
  if (cpu_ns == 0) {
    Drop(lanes, DropReason::kOffCpu);
  } else if (state->busy.load(std::memory_order_relaxed) != 0) {
    Drop(lanes, DropReason::kBusy);
    state->pending_cpu_ns += cpu_ns;
  } else if (BlocksFaults(ucontext)) {
    Drop(lanes, DropReason::kSignalsBlocked);
    state->pending_cpu_ns += cpu_ns;
  } else {
    Record(context, lanes, state, begin_ns, cpu_ns, missed, ucontext);
  }
}

namespace {

// One signal of a timer of ours.
void HandleTick(HandlerContext* context, const TimerValue& value, const siginfo_t& info,
                const ucontext_t& ucontext) {
  RegionHeader* header = context->header;
  if (value.slot >= header->block_count.load(std::memory_order_acquire) * kSlotsPerBlock) return;
  ThreadLaneSet* lanes = context->Slot(value.slot);
  // Another generation: the slot has gone to another thread, and this signal's own is counted no
  // more.
  if (lanes->generation.load(std::memory_order_acquire) != value.generation) return;  // S4
  if (header->accepting_samples.load(std::memory_order_relaxed) == 0) {
    AddOwned(lanes->counters.signals, 1);
    Drop(lanes, DropReason::kNotAccepting);
    return;
  }
  TakeSample(context, value.slot, value.is_hires, info.si_overrun, ucontext);
}

}  // namespace

void HandleProfilingSignal(int signal, siginfo_t* info, void* ucontext) {
  const auto value_word = reinterpret_cast<uint64_t>(info->si_value.sival_ptr);
  const bool is_ours = info->si_code == SI_TIMER && TimerValue::IsOurs(value_word);
  const TimerValue value = TimerValue::Decode(value_word);
  Word& in_flight = g_in_flight[is_ours ? value.slot % kInFlightShards : 0].count;
  in_flight.fetch_add(1, std::memory_order_seq_cst);
  struct sigaction previous {};
  HandlerContext* context = g_context.load(std::memory_order_seq_cst);
  if (context != nullptr) {
    if (is_ours) {
      HandleTick(context, value, *info, *static_cast<const ucontext_t*>(ucontext));
    } else {
      previous = context->previous;
    }
  }
  in_flight.fetch_sub(1, std::memory_order_release);
  // Outside the count: what is forwarded may take its time, or never return.
  if (!is_ours) Forward(previous, signal, info, ucontext);
}

void OnGcBegin(HandlerContext* context, uint32_t slot, const ucontext_t& ucontext) {
  ThreadState* state = context->State(slot);
  state->busy.store(1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (state->in_gc++ == 0) {
    ThreadLaneSet* lanes = context->Slot(slot);
    const V8Reader reader(context->v8, &state->known_maps);
    Definitions definitions(lanes, context->region, state, reader);
    Walker walker(*context->modules.load(std::memory_order_acquire), context->v8, reader, state,
                  &definitions, context->walk);
    walker.CaptureForGc(Registers::FromContext(ucontext));
  }
  if (state->gc_epoch != 0)
    state->gc_epoch++;  // what has been remembered by address is void from here on
  std::atomic_signal_fence(std::memory_order_seq_cst);
  state->busy.store(0, std::memory_order_relaxed);
}

void OnGcEnd(HandlerContext* context, uint32_t slot) {
  ThreadState* state = context->State(slot);
  if (state->in_gc > 0) state->in_gc--;
}

}  // namespace spprof
