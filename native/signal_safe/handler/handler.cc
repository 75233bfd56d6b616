#include "signal_safe/handler/handler.h"

#include "signal_safe/handler/disarmed_stack.h"
#include "signal_safe/handler/foreign_signals.h"
#include "signal_safe/handler/in_flight.h"
#include "signal_safe/handler/stack_room.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/machine/protection_keys.h"
#include "signal_safe/ticks/engines.h"
#include "signal_safe/ticks/hires_timer.h"
#include "signal_safe/ticks/timer_value.h"
#include "signal_safe/walk/block_labels.h"
#include "signal_safe/walk/definitions.h"

namespace spprof {

namespace {

constinit std::atomic<HandlerContext*> g_context{nullptr};

// si_code of the interval timer's signal.
#if defined(SI_KERNEL)
constexpr int kIntervalTimerCode = SI_KERNEL;
#else
constexpr int kIntervalTimerCode = 0;  // macOS: signals of the kernel carry none
#endif

void Drop(ThreadLaneSet* lanes, DropReason reason) {
  AddOwned(lanes->counters.dropped[static_cast<size_t>(reason)], 1);
}

bool BlocksFaults(const ucontext_t& ucontext) {
#ifdef __SANITIZE_THREAD__
  // Its runtime calls handlers late, with all signals blocked, and puts the mask back itself.
  const uint64_t faults = 1u << (SIGSEGV - 1) | 1u << (SIGBUS - 1);
  kernel::Call(SYS_rt_sigprocmask, SIG_UNBLOCK, reinterpret_cast<int64_t>(&faults), 0,
               sizeof(faults));
#endif
  return sigismember(&ucontext.uc_sigmask, SIGSEGV) == 1 ||
         sigismember(&ucontext.uc_sigmask, SIGBUS) == 1;
}

// As far as is known: by its kind, or by what has been seen on its stack.
bool RunsJavaScript(const ThreadLaneSet& lanes) {
  return lanes.has_javascript.load(std::memory_order_relaxed) != 0 ||
         lanes.kind.load(std::memory_order_relaxed) != static_cast<uint32_t>(ThreadKind::kNative);
}

// V8's state of the thread's current isolate. From V8 13 on, helper threads too have one while they
// work for it, so that this does not tell whether the thread runs JavaScript.
uint32_t VmState(const V8Layout& v8, ThreadState* state) {
  void* const isolate = v8.try_get_current != nullptr ? v8.try_get_current() : nullptr;
  if (state->announces_gc.load(std::memory_order_relaxed) == 0) {
    state->isolate.store(reinterpret_cast<uintptr_t>(isolate), std::memory_order_relaxed);
  }
  return ReadVmState(v8, reinterpret_cast<uintptr_t>(isolate));
}

void AddOwnedMax(Sequence& counter, uint64_t value) {
  if (value > counter.load(std::memory_order_relaxed))
    counter.store(value, std::memory_order_relaxed);
}

bool IsAccepting(const HandlerContext& context) {
  return context.header->accepting_samples.load(std::memory_order_seq_cst) != 0;
}

// A sample that has been walked, its definitions written, but not its index record.
struct Prepared {
  SampleRecord record{};
  bool is_selected = true;
  bool swapped = false;
};

Prepared Prepare(HandlerContext* context, ThreadLaneSet* lanes, ThreadState* state, uint64_t now_ns,
                 const ucontext_t& ucontext) {
  const uint32_t vm_state = VmState(context->v8, state);
  const ModuleTable* modules = context->modules.load(std::memory_order_acquire);
  if (state->walk.modules != modules) {  // rules of what has been unloaded since
    for (RuleCacheEntry& entry : state->walk.rules) entry = RuleCacheEntry{};
    state->walk.modules = modules;
  }

  WalkOptions options = context->walk;
  const bool is_in_announced_gc = state->in_gc.load(std::memory_order_relaxed) != 0;
  options.has_gc_frames = is_in_announced_gc;
  CheckLoadGuard(now_ns);
  // The state is that of a collection in slow allocations, too, which move nothing.
  const bool moves_are_announced = state->walk.gc_epoch != 0;
  options.heap_is_moving = is_in_announced_gc || (!moves_are_announced && vm_state == kVmStateGc);
  options.heap_may_move = context->v8.isolate_vm_state == 0 && !moves_are_announced;
  const V8Reader reader(context->v8, &state->walk.known_maps, &state->walk.table_marks,
                        state->walk.code_epoch);
  Definitions definitions(lanes, context->region, &state->walk, reader);
  Walker walker(*modules, context->v8, reader, &state->walk, &definitions, options);
  const WalkResult walk = walker.Walk(Registers::FromContext(ucontext));

  Prepared prepared;
  if (walk.has_javascript) lanes->has_javascript.store(1, std::memory_order_relaxed);
  const bool runs_javascript = lanes->has_javascript.load(std::memory_order_relaxed) != 0;
  if (context->javascript_threads_only && !RunsJavaScript(*lanes)) {
    prepared.is_selected = false;
    return prepared;
  }
  const bool is_in_gc = is_in_announced_gc || (runs_javascript && vm_state == kVmStateGc);
  const uint32_t label = LabelOf(lanes->tid);
  prepared.record.header = {RecordType::kSample, static_cast<uint16_t>(label),
                            sizeof(SampleRecord)};
  prepared.record.stack_id = walk.is_lane_full || (label != 0 && !definitions.DefineLabels(label))
                                 ? 0
                                 : definitions.StackId(state->walk.frames, walk.frame_count);
  prepared.record.state =
      vm_state | (is_in_gc ? kStateInGc : 0) | (walk.is_truncated ? kStateTruncated : 0) |
      (walk.is_complete ? 0 : kStateIncomplete) | (runs_javascript ? kStateRunsJavaScript : 0);
  prepared.swapped = definitions.swapped();
  return prepared;
}

// The sample's CPU time goes into the next one's, so that the sum stays right.
void DropSample(ThreadLaneSet* lanes, ThreadState* state, DropReason reason, uint64_t cpu_ns) {
  Drop(lanes, reason);
  state->pending_cpu_ns += cpu_ns;
}

void Publish(HandlerContext* context, ThreadLaneSet* lanes, ThreadState* state, Prepared* prepared,
             const Tick& tick) {
  LaneWriter index(&lanes->index, context->region);
  SampleRecord& record = prepared->record;
  if (record.stack_id == 0 || !index.Reserve(sizeof(record), &prepared->swapped)) {
    DropSample(lanes, state,
               record.stack_id == 0 ? DropReason::kDetailFull : DropReason::kIndexFull,
               tick.cpu_ns);
    context->waker->Wake();
    return;
  }
  record.time_ns = tick.begin_ns;
  record.overruns = tick.overruns;
  record.cpu_ns = tick.cpu_ns + state->pending_cpu_ns;
  state->pending_cpu_ns = 0;
  if (state->ticks.is_rearming_untold != 0) record.state |= kStateRearmed;
  state->ticks.is_rearming_untold = 0;
  const uint64_t took_ns = CostNs(state->ticks, tick);
  record.handler_ns = static_cast<uint32_t>(took_ns);
  index.Write(&record, sizeof(record));
  AddOwned(lanes->counters.written, 1);
  AddOwned(lanes->counters.handler_total_ns, took_ns);
  AddOwnedMax(lanes->counters.handler_max_ns, took_ns);
  if (prepared->swapped) context->waker->Wake();
}

}  // namespace

void SetHandlerContext(HandlerContext* context) {
  if (context != nullptr) FindProtectionKeys();
  g_context.store(context, std::memory_order_seq_cst);
}
HandlerContext* GetHandlerContext() { return g_context.load(std::memory_order_seq_cst); }

__attribute__((noinline)) void TakeSample(HandlerContext* context, uint32_t slot, TickSource source,
                                          int overruns, const ucontext_t& ucontext) {
  const uint64_t now_ns = kernel::MonotonicNs();
  ThreadLaneSet* lanes = context->Slot(slot);
  ThreadState* state = context->State(slot);
  AddOwned(lanes->counters.signals, 1);
  Tick tick = BeginTick(context->ticks, &state->ticks, source, overruns, RunsJavaScript(*lanes),
                        now_ns, ucontext);
  if (tick.overruns != 0) AddOwned(lanes->counters.overruns, tick.overruns);

  if (!tick.is_due) {
    Drop(lanes, DropReason::kNotDue);
  } else if (tick.cpu_ns == 0) {
    Drop(lanes, DropReason::kOffCpu);
  } else if (state->is_left_out.load(std::memory_order_relaxed) != 0) {
    Drop(lanes, DropReason::kNotSelected);
  } else if (const bool is_busy = state->busy.load(std::memory_order_relaxed) != 0;
             is_busy || BlocksFaults(ucontext)) {
    EndTick(context->ticks, &state->ticks, &tick);
    DropSample(lanes, state, is_busy ? DropReason::kBusy : DropReason::kSignalsBlocked,
               tick.cpu_ns);
    return;
  } else {
    Prepared prepared = Prepare(context, lanes, state, now_ns, ucontext);
    EndTick(context->ticks, &state->ticks, &tick);
    // The thread may have lost the CPU since the signal came, and the lanes may have been drained
    // for the last time.
    if (!IsAccepting(*context)) {
      Drop(lanes, DropReason::kNotAccepting);
    } else if (prepared.is_selected) {
      Publish(context, lanes, state, &prepared, tick);
    } else {
      Drop(lanes, DropReason::kNotSelected);
    }
    return;
  }
  EndTick(context->ticks, &state->ticks, &tick);
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
  if (!IsAccepting(*context) || context->ticks.is_paused.load(std::memory_order_seq_cst) != 0) {
    AddOwned(lanes->counters.signals, 1);
    Drop(lanes, DropReason::kNotAccepting);
    return;
  }
  // The walk's frames are larger than this function's, and are not made part of it.
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const stack_t signal_stack =
      KnownSignalStack(ucontext.uc_stack, here, &context->State(value.slot)->disarmed_stack);
  const StackRoom room = FindStackRoom(signal_stack, here, context->signal_frame_bytes);
  if (room == StackRoom::kNone) {
    AddOwned(lanes->counters.signals, 1);
    Drop(lanes, DropReason::kNoStack);
    if (context->ticks.engine == TimerEngine::kHires) {  // whose timers the handler sets
      context->State(value.slot)->ticks.hires.is_ticking = 0;
      LeaveToKernelsTick(context->ticks, &context->State(value.slot)->ticks);
    }
    return;
  }
  const ReadableKeys keys;
  const LoadsWithoutFaults loads(room == StackRoom::kNoFaults);
  TakeSample(context, value.slot, value.source, info.si_overrun, ucontext);
}

// The value that a signal without one would carry. False: it is not of this recording.
bool FindValue(const HandlerContext& context, const siginfo_t& info, bool is_of_own_timer,
               TimerValue* value) {
  if (context.ticks.engine == TimerEngine::kItimer) {
    if (!is_of_own_timer && info.si_code != kIntervalTimerCode && !IsWithoutDetails(info))
      return false;
  } else if (context.ticks.engine != TimerEngine::kPerf || info.si_code <= 0) {
    return false;
  }
  *value = {context.threads.Find(kernel::ThreadId()), 0, TickSource::kNoValue};
  if (value->slot == ThreadTable::kNone) return context.ticks.engine == TimerEngine::kItimer;
  value->generation = context.Slot(value->slot)->generation.load(std::memory_order_acquire);  // S4
  return context.ticks.engine == TimerEngine::kItimer ||
         info.si_fd == context.State(value->slot)->ticks.perf_event.load(std::memory_order_relaxed);
}

}  // namespace

void HandleProfilingSignal(int signal, siginfo_t* info, void* ucontext) {
  const auto value_word = reinterpret_cast<uint64_t>(info->si_value.sival_ptr);
  bool is_ours = info->si_code == SI_TIMER && TimerValue::IsOurs(value_word);
  TimerValue value = TimerValue::Decode(value_word);
  // A signal without a value has no slot yet; nothing that it uses is ever deleted.
  Word& in_flight = InFlightOf(is_ours ? value.slot : 0);
  in_flight.fetch_add(1, std::memory_order_seq_cst);
  struct sigaction previous {};
  HandlerContext* context = g_context.load(std::memory_order_seq_cst);
  if (context != nullptr) {
    const bool has_slot = is_ours && value.source != TickSource::kNoValue;
    if (has_slot || FindValue(*context, *info, is_ours, &value)) {
      is_ours = true;
      HandleTick(context, value, *info, *static_cast<const ucontext_t*>(ucontext));
    } else {
      previous = context->previous;
    }
  }
  is_ours = is_ours || IsOfEvent(*info);
  in_flight.fetch_sub(1, std::memory_order_release);
  if (context == nullptr && !is_ours) {
    previous = FormerAction();
  }
  // Outside the count: what is forwarded may take its time, or never return.
  if (!is_ours) ForwardSignal(previous, signal, info, ucontext);
}

void OnGcBegin(HandlerContext* context, uint32_t slot, bool is_young_only,
               const ucontext_t& ucontext) {
  ThreadState* state = context->State(slot);
  state->busy.store(1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const uint32_t nesting = state->in_gc.load(std::memory_order_relaxed);
  state->in_gc.store(nesting + 1, std::memory_order_relaxed);
  if (nesting == 0) {
    ThreadLaneSet* lanes = context->Slot(slot);
    const V8Reader reader(context->v8, &state->walk.known_maps, &state->walk.table_marks,
                          state->walk.code_epoch);
    Definitions definitions(lanes, context->region, &state->walk, reader);
    Walker walker(*context->modules.load(std::memory_order_acquire), context->v8, reader,
                  &state->walk, &definitions, context->walk);
    CheckLoadGuard(kernel::MonotonicNs());
    walker.CaptureForGc(Registers::FromContext(ucontext));
  }
  if (state->walk.gc_epoch != 0) {  // what has been remembered by address is void from here on
    state->walk.gc_epoch++;
    if (!is_young_only) state->walk.code_epoch++;
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  state->busy.store(0, std::memory_order_relaxed);
}

void OnGcEnd(HandlerContext* context, uint32_t slot) {
  ThreadState* state = context->State(slot);
  const uint32_t nesting = state->in_gc.load(std::memory_order_relaxed);
  if (nesting > 0) state->in_gc.store(nesting - 1, std::memory_order_relaxed);
}

}  // namespace spprof
