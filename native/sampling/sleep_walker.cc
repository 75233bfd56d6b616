#include "sampling/sleep_walker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>

#include "platform/posix_timer.h"
#include "platform/thread_sleep.h"
#include "platform/threads.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/protection_keys.h"
#include "signal_safe/walk/block_labels.h"
#include "signal_safe/walk/definitions.h"
#include "signal_safe/walk/walker.h"

namespace spprof {

namespace {

constexpr uint32_t kRingBytes = 256 * 1024;
constexpr uint32_t kRingOffset = 64;  // 0 is a lane that has been lost
constexpr uint32_t kMapBudget = kRingBytes / 2;
constexpr uint32_t kFirstStackId = 1u << 31;
constexpr uint32_t kFirstFunctionId = 1u << 23;  // of 24 bits

// Lets guarded loads fail on this thread, which otherwise takes no signal.
class FaultsUnblocked {
 public:
  FaultsUnblocked() {
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &faults, &before_);
  }
  ~FaultsUnblocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  FaultsUnblocked(const FaultsUnblocked&) = delete;
  FaultsUnblocked& operator=(const FaultsUnblocked&) = delete;

 private:
  sigset_t before_;
};

// Names may have been read from a heap that was moving.
void ForgetDefinitions(WalkState* state) {
  std::fill(std::begin(state->functions), std::end(state->functions), FunctionEntry{});
  std::fill(std::begin(state->stacks), std::end(state->stacks), StackEntry{});
  std::fill(std::begin(state->scripts), std::end(state->scripts), 0);
  std::fill(std::begin(state->labels), std::end(state->labels), uint16_t{0});
  state->function_count = state->stack_count = state->script_count = 0;
  state->map_rest = MapCopy{};
}

}  // namespace

SleepWalker::SleepWalker(const HandlerContext* context)
    : context_(context), bytes_(std::make_unique<uint8_t[]>(kRingOffset + kRingBytes)) {}

void SleepWalker::Unmap::operator()(WalkState* state) const { munmap(state, size); }

WalkState* SleepWalker::StateOf(uint32_t slot) {
  if (slot >= states_.size()) states_.resize(slot + 1);
  if (states_[slot] != nullptr) return states_[slot].get();
  // Pages of it that are not used are never there.
  const size_t size = AlignUp(WalkState::SizeFor(context_->walk.max_frames), kRegionPage);
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, size, MADV_NOHUGEPAGE);
  auto* const state = static_cast<WalkState*>(memory);
  state->next_stack_id = kFirstStackId;
  state->next_function_id = kFirstFunctionId;
  states_[slot] = OwnState(state, Unmap{size});
  return state;
}

void SleepWalker::Forget(uint32_t slot) {
  if (slot < states_.size()) states_[slot].reset();
}

SleepWalkResult SleepWalker::Walk(uint32_t slot, pid_t tid, SleepWalk* out) {
  const ThreadState& theirs = *context_->State(slot);
  const uint64_t cpu_ns = ThreadCpuOf(tid);
  SleepingCall call;
  switch (ReadSleepingCall(tid, &call)) {
    case SleepState::kAwake:
      return SleepWalkResult::kAwake;
    case SleepState::kUnreadable:
      return SleepWalkResult::kUnreadable;
    case SleepState::kAsleep:
      break;
  }
  WalkState* const own = StateOf(slot);
  if (own == nullptr) return SleepWalkResult::kNoRoom;
  Registers registers{};
  registers.pc = call.pc;
  registers.sp = call.sp;
  lane_.Reset(1, kRingBytes, kRingOffset);
  *out = SleepWalk{};
  const bool is_complete = WalkStack(theirs, tid, registers, own, out);
  if (ThreadCpuOf(tid) != cpu_ns) {
    if (lane_.events_written.load(std::memory_order_relaxed) != 0) {
      ForgetDefinitions(own);
      own->known_maps = KnownMaps{};
    }
    return SleepWalkResult::kWoken;
  }
  out->cpu_ns = cpu_ns - theirs.ticks.paused_cpu_ns.load(std::memory_order_relaxed);
  LaneReader(&lane_, bytes_.get())
      .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t size) {
        out->definitions.resize(size);
        ring.Copy(reinterpret_cast<uint8_t*>(out->definitions.data()), size);
      });
  if (is_complete) return SleepWalkResult::kWalked;
  ForgetDefinitions(own);  // they are not written
  return SleepWalkResult::kNoRoom;
}

bool SleepWalker::WalkStack(const ThreadState& theirs, pid_t tid, const Registers& registers,
                            WalkState* own, SleepWalk* out) {
  const V8Layout& v8 = context_->v8;
  const ModuleTable* modules = context_->modules.load(std::memory_order_acquire);
  if (own->modules != modules) {  // rules of what has been unloaded since
    std::fill(std::begin(own->rules), std::end(own->rules), RuleCacheEntry{});
    own->modules = modules;
  }
  const FaultsUnblocked unblocked;
  const ReadableKeys keys;
  CheckLoadGuard(MonotonicNow());
  WalkOptions options = context_->walk;
  options.is_from_outside = true;
  // A thread that waits for helpers of a collection sleeps, too, and its heap moves.
  const uint32_t vm_state = ReadVmState(v8, theirs.isolate.load(std::memory_order_relaxed));
  const bool is_announced = theirs.announces_gc.load(std::memory_order_relaxed) != 0;
  options.heap_is_moving =
      is_announced ? theirs.in_gc.load(std::memory_order_relaxed) != 0 : vm_state == kVmStateGc;
  options.heap_may_move = !is_announced && vm_state == kVmStateUnknown;

  const V8Reader reader(v8, &own->known_maps, &own->table_marks, own->code_epoch);
  Definitions definitions(&lane_, bytes_.get(), own, reader, kMapBudget);
  Walker walker(*modules, v8, reader, own, &definitions, options);
  const WalkResult walk = walker.Walk(registers);
  out->label = LabelOfSleeper(static_cast<uint32_t>(tid));
  if (walk.is_lane_full || (out->label != 0 && !definitions.DefineLabels(out->label))) return false;
  out->stack_id = definitions.StackId(own->frames, walk.frame_count);
  out->state =
      (options.heap_is_moving ? kStateInGc : 0) | (walk.is_truncated ? kStateTruncated : 0) |
      (walk.is_complete ? 0 : kStateIncomplete) | (walk.has_javascript ? kStateRunsJavaScript : 0);
  return out->stack_id != 0;
}

}  // namespace spprof
