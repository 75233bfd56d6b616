#include "v8/gc_hooks.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <thread>

namespace spprof {

namespace {

// v8::Isolate::GCCallbackWithData and its registration, as exported under the same names by Node 18
// to 26. An Isolate is only ever a pointer here.
using GcCallback = void (*)(void* isolate, int type, int flags, void* data);
using AddCallback = void (*)(void* isolate, GcCallback callback, void* data, int filter);
using RemoveCallback = void (*)(void* isolate, GcCallback callback, void* data);

constexpr int kScavenge = 1;
constexpr int kAllCollections = 31;

struct Hook {
  void* isolate;
  pid_t tid;
  uint32_t slot = 0;
  // Dekker: a callback sets `in_callback`, then loads `context`; Detach clears `context`, then
  // waits for `in_callback`.
  std::atomic<HandlerContext*> context{nullptr};
  std::atomic<bool> in_callback{false};
};

struct Api {
  AddCallback add_prologue, add_epilogue;
  RemoveCallback remove_prologue, remove_epilogue;
  void* (*try_get_current)();
  bool complete;
};

template <typename Function>
Function Load(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

const Api& GetApi() {
  static const Api api = [] {
    Api found{Load<AddCallback>("_ZN2v87Isolate21AddGCPrologueCallbackEPFvPS0_NS_6GCTypeENS_"
                                "15GCCallbackFlagsEPvES4_S2_"),
              Load<AddCallback>("_ZN2v87Isolate21AddGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_"
                                "15GCCallbackFlagsEPvES4_S2_"),
              Load<RemoveCallback>("_ZN2v87Isolate24RemoveGCPrologueCallbackEPFvPS0_NS_6GCTypeENS_"
                                   "15GCCallbackFlagsEPvES4_"),
              Load<RemoveCallback>("_ZN2v87Isolate24RemoveGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_"
                                   "15GCCallbackFlagsEPvES4_"),
              Load<void* (*)()>("_ZN2v87Isolate13TryGetCurrentEv"),
              false};
    found.complete = found.add_prologue && found.add_epilogue && found.remove_prologue &&
                     found.remove_epilogue && found.try_get_current;
    return found;
  }();
  return api;
}

// Never destroyed: a thread may outlive static destruction.
std::mutex& HooksMutex() {
  static std::mutex* mutex = new std::mutex;
  return *mutex;
}
std::list<Hook>& Hooks() {
  static auto* hooks = new std::list<Hook>;
  return *hooks;
}

void OnPrologue(void*, int type, int, void* data) {
  Hook* hook = static_cast<Hook*>(data);
  hook->in_callback.store(true, std::memory_order_seq_cst);
  if (HandlerContext* context = hook->context.load(std::memory_order_seq_cst)) {
    ucontext_t here;
    if (getcontext(&here) == 0) OnGcBegin(context, hook->slot, type == kScavenge, here);
  }
  hook->in_callback.store(false, std::memory_order_release);
}

void OnEpilogue(void*, int, int, void* data) {
  Hook* hook = static_cast<Hook*>(data);
  hook->in_callback.store(true, std::memory_order_seq_cst);
  if (HandlerContext* context = hook->context.load(std::memory_order_seq_cst)) {
    OnGcEnd(context, hook->slot);
  }
  hook->in_callback.store(false, std::memory_order_release);
}

pid_t CurrentTid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

}  // namespace

bool InstallGcHook() {
  const Api& api = GetApi();
  void* isolate = api.complete ? api.try_get_current() : nullptr;
  if (isolate == nullptr) return false;
  Hook* hook;
  {
    std::lock_guard lock(HooksMutex());
    for (Hook& existing : Hooks()) {
      if (existing.isolate == isolate) return true;
    }
    hook = &Hooks().emplace_back();
    hook->isolate = isolate;
    hook->tid = CurrentTid();
  }
  api.add_prologue(isolate, OnPrologue, hook, kAllCollections);
  api.add_epilogue(isolate, OnEpilogue, hook, kAllCollections);
  return true;
}

void RemoveGcHook() {
  const Api& api = GetApi();
  void* isolate = api.complete ? api.try_get_current() : nullptr;
  if (isolate == nullptr) return;
  std::lock_guard lock(HooksMutex());  // Detach waits for it, so an attached context is alive
  for (auto hook = Hooks().begin(); hook != Hooks().end(); ++hook) {
    if (hook->isolate != isolate) continue;
    if (HandlerContext* context = hook->context.load(std::memory_order_seq_cst)) {
      ThreadState* const state = context->State(hook->slot);
      state->walk.gc_epoch = state->walk.code_epoch = 0;
      state->announces_gc.store(0, std::memory_order_relaxed);
      state->isolate.store(0, std::memory_order_relaxed);
    }
    api.remove_prologue(isolate, OnPrologue, &*hook);
    api.remove_epilogue(isolate, OnEpilogue, &*hook);
    Hooks().erase(hook);
    return;
  }
}

void AttachGcHook(pid_t tid, HandlerContext* context, uint32_t slot) {
  std::lock_guard lock(HooksMutex());
  for (Hook& hook : Hooks()) {
    if (hook.tid != tid) continue;
    // Attached already: its epochs must go on, for what has been remembered since the first one
    // would be valid again.
    if (hook.context.load(std::memory_order_seq_cst) == context && hook.slot == slot) continue;
    hook.slot = slot;
    hook.context.store(context, std::memory_order_seq_cst);
    // From here on moves are announced.
    ThreadState* const state = context->State(slot);
    state->walk.gc_epoch = state->walk.code_epoch = 1;
    state->isolate.store(reinterpret_cast<uintptr_t>(hook.isolate), std::memory_order_relaxed);
    state->announces_gc.store(1, std::memory_order_relaxed);
  }
}

void DetachGcHooks(HandlerContext* context) {
  std::lock_guard lock(HooksMutex());
  for (Hook& hook : Hooks()) {
    HandlerContext* expected = context;
    if (!hook.context.compare_exchange_strong(expected, nullptr, std::memory_order_seq_cst))
      continue;
    // A callback takes microseconds.
    while (hook.in_callback.load(std::memory_order_seq_cst)) std::this_thread::yield();
  }
}

}  // namespace spprof
