// Walks of this very process by call-frame rules alone, against libgcc's unwinder and,
// instruction by instruction, against what the callers are known to be.
#include <gtest/gtest.h>
#include <pthread.h>
#include <ucontext.h>
#include <unwind.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "cfi_test_support.h"
#include "signal_safe/cfi/cfi.h"

// GCC only: clang has no such attribute and goes by the command line.
#if defined(__GNUC__) && !defined(__clang__)
#define FRAMELESS \
  __attribute__((noinline, noclone, optimize("omit-frame-pointer", "no-optimize-sibling-calls")))
#else
#define FRAMELESS __attribute__((noinline))
#endif

namespace spprof {
namespace {

constexpr size_t kMaxFrames = 400;

struct Trace {
  uintptr_t pcs[kMaxFrames];
  size_t count = 0;
  StepResult end = StepResult::kOk;
  bool has_none = false;
  unsigned expressions = 0;
};

const std::vector<CfiModule>* g_modules;  // taken before anything is interrupted
thread_local uintptr_t t_stack_end;

uintptr_t StackEnd() {
  pthread_attr_t attributes;
  void* base;
  size_t size;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &base, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uintptr_t>(base) + size;
}

void Prepare() {
  static const std::vector<CfiModule> modules = test::ModulesOfThisProcess();
  g_modules = &modules;
  t_stack_end = StackEnd();
}

void Walk(Registers registers, bool is_exact, Trace* trace) {
  *trace = Trace();
  while (trace->count < kMaxFrames) {
    trace->pcs[trace->count++] = registers.pc;
    const uintptr_t lookup = registers.pc - (is_exact ? 0 : 1);
    const CfiModule* module = test::FindModule(*g_modules, lookup);
    if (module == nullptr) {
      trace->has_none = true;
      return;
    }
    const UnwindRule rule = DecodeRule(*module, lookup);
    if (rule.kind == RuleKind::kNone) {
      trace->has_none = true;
      return;
    }
    trace->expressions += rule.kind == RuleKind::kExpression;
    trace->end = ApplyRule(*module, rule, lookup, t_stack_end, &registers);
    if (trace->end != StepResult::kOk) return;
    is_exact = rule.is_signal_frame;
  }
}

// Both from the same function; [0] differs (each its own call), the callers must not.
struct TwoTraces {
  Trace own;
  uintptr_t libgcc[kMaxFrames];
  size_t libgcc_count = 0;
};

__attribute__((noinline)) void TakeBoth(TwoTraces* traces) {
  ucontext_t context;
  getcontext(&context);
  Walk(Registers::FromContext(context), false, &traces->own);
  // Not backtrace(), which the sanitizers wrap in a frame of their own.
  traces->libgcc_count = 0;
  _Unwind_Backtrace(
      [](_Unwind_Context* frame, void* data) {
        auto* both = static_cast<TwoTraces*>(data);
        const uintptr_t pc = _Unwind_GetIP(frame);
        if (pc == 0 || both->libgcc_count == kMaxFrames) return _URC_END_OF_STACK;
        both->libgcc[both->libgcc_count++] = pc;
        return _URC_NO_REASON;
      },
      traces);
}

void ExpectSame(const TwoTraces& traces, size_t at_least) {
  const Trace& own = traces.own;
  EXPECT_FALSE(own.has_none);
  EXPECT_EQ(own.end, StepResult::kEndOfStack);
  EXPECT_GE(own.count, at_least);
  ASSERT_EQ(own.count, traces.libgcc_count);
  for (size_t i = 1; i < own.count; ++i) {
    ASSERT_EQ(own.pcs[i], traces.libgcc[i]) << "frame " << i;
  }
}

template <typename Leaf>
FRAMELESS int Recurse(int depth, const Leaf& leaf) {
  if (depth == 0) {
    leaf();
    return 1;
  }
  volatile int spill[3] = {depth, depth + 1, depth + 2};
  return Recurse(depth - 1, leaf) + spill[depth % 3];
}

// Over-aligned and of a size unknown before: GCC keeps the incoming stack pointer in r10 and
// describes the frame by expressions.
FRAMELESS void Realigned(size_t size, TwoTraces* traces) {
  struct alignas(64) Aligned {
    char bytes[64];
  } aligned;
  auto* room = static_cast<char*>(alloca(size));
  asm volatile("" : : "r"(&aligned), "r"(room) : "memory");
  TakeBoth(traces);
  asm volatile("" : : "r"(&aligned), "r"(room) : "memory");
}

class CfiWalk : public testing::Test {
 protected:
  void SetUp() override { Prepare(); }
};

TEST_F(CfiWalk, AgreesWithLibgccInAFramelessRecursion) {
  TwoTraces traces;
  Recurse(100, [&] { TakeBoth(&traces); });
  ExpectSame(traces, 102);
}

TEST_F(CfiWalk, AgreesWithLibgccInACallbackOfQsort) {
  static TwoTraces traces;
  int numbers[] = {3, 1, 2};
  qsort(numbers, 3, sizeof numbers[0], [](const void* a, const void* b) {
    TakeBoth(&traces);
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  });
  ExpectSame(traces, 5);
}

TEST_F(CfiWalk, AgreesWithLibgccThroughARealignedStack) {
  TwoTraces traces;
  Recurse(3, [&] { Realigned(1000, &traces); });
  ExpectSame(traces, 6);
}

TEST_F(CfiWalk, ReachesTheFirstFunctionOfAThread) {
  TwoTraces traces;
  std::thread([&] {
    t_stack_end = StackEnd();
    Recurse(10, [&] { TakeBoth(&traces); });
  }).join();
  ExpectSame(traces, 13);
}

TwoTraces g_in_handler;
Trace g_interrupted;

void TakeInHandler(int, siginfo_t*, void* context) {
  Walk(Registers::FromContext(*static_cast<ucontext_t*>(context)), true, &g_interrupted);
  TakeBoth(&g_in_handler);
}

void SetHandler(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  ASSERT_EQ(sigaction(number, &action, nullptr), 0);
}

// The interrupted frame's own pc and its callers are the end of libgcc's trace.
void ExpectInterruptedIsTail() {
  const size_t count = g_interrupted.count;
  const auto total = g_in_handler.libgcc_count;
  EXPECT_EQ(g_interrupted.end, StepResult::kEndOfStack);
  ASSERT_LT(count, total);
  for (size_t i = 0; i < count; ++i) {
    ASSERT_EQ(g_interrupted.pcs[i], g_in_handler.libgcc[total - count + i]) << i;
  }
}

TEST_F(CfiWalk, StepsThroughASignalFrame) {
  SetHandler(SIGUSR1, TakeInHandler, 0);
  Recurse(20, [] { raise(SIGUSR1); });
  ExpectSame(g_in_handler, 24);
  EXPECT_GE(g_in_handler.own.expressions, 1u);  // __restore_rt
  ExpectInterruptedIsTail();
}

TEST_F(CfiWalk, StepsFromAnAlternateStackToTheInterruptedOne) {
  std::vector<char> memory(1 << 17);
  stack_t alternate = {}, previous;
  alternate.ss_sp = memory.data();
  alternate.ss_size = memory.size();
  ASSERT_EQ(sigaltstack(&alternate, &previous), 0);
  SetHandler(SIGUSR1, TakeInHandler, SA_ONSTACK);
  Recurse(20, [] { raise(SIGUSR1); });
  sigaltstack(&previous, nullptr);
  ExpectSame(g_in_handler, 24);  // the alternate stack is on the heap, below the thread's stack
  ExpectInterruptedIsTail();
}

// ---- One instruction at a time ----

struct Stepping {
  bool is_on;
  uintptr_t known[64];  // callers of the function that starts the stepping, outermost last
  size_t known_count;
  uintptr_t callee, callee_end, caller,
      caller_end;  // of the function under test, and of the one that calls it
  unsigned steps, in_callee, wrong, first_wrong_steps, expressions;
  uintptr_t first_wrong;
};
Stepping g_stepping;

constexpr greg_t kTrapFlag = 0x100;

void CheckOneInstruction(int, siginfo_t*, void* data) {
  auto* context = static_cast<ucontext_t*>(data);
  if (!g_stepping.is_on) {
    context->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
    return;
  }
  static Trace trace;
  Walk(Registers::FromContext(*context), true, &trace);
  ++g_stepping.steps;
  g_stepping.expressions += trace.expressions;
  bool ok = trace.end == StepResult::kEndOfStack && trace.count > g_stepping.known_count;
  for (size_t i = 1; ok && i <= g_stepping.known_count; ++i) {
    ok = trace.pcs[trace.count - i] == g_stepping.known[g_stepping.known_count - i];
  }
  if (ok && trace.pcs[0] >= g_stepping.callee && trace.pcs[0] < g_stepping.callee_end) {
    ++g_stepping.in_callee;
    ok = trace.pcs[1] >= g_stepping.caller && trace.pcs[1] < g_stepping.caller_end;
  }
  if (!ok && g_stepping.wrong++ == 0) g_stepping.first_wrong = trace.pcs[0];
}

void StartStepping(int, siginfo_t*, void* data) {
  static_cast<ucontext_t*>(data)->uc_mcontext.gregs[REG_EFL] |= kTrapFlag;
}

test::CodeRange RangeOf(uintptr_t pc) {
  for (const test::CodeRange& range : test::RangesOf(*test::FindModule(*g_modules, pc))) {
    if (pc >= range.begin && pc < range.end) return range;
  }
  return {0, 0};
}

volatile int g_sink;
volatile size_t g_size = 100;

FRAMELESS int SteppedBody(int a, const char* text) {
  volatile char room[200];
  room[0] = static_cast<char>(a);
  const long parsed = strtol(text, nullptr, 10);  // through the PLT
  struct alignas(64) {
    char bytes[64];
  } aligned;
  auto* more = static_cast<char*>(alloca(g_size));
  asm volatile("" : : "r"(&aligned), "r"(more) : "memory");
  return room[0] + static_cast<int>(parsed) + (a > 3 ? Recurse(2, [] { g_sink = g_sink + 1; }) : 0);
}

FRAMELESS int SteppedCaller(int (*body)(int, const char*)) {
  g_stepping.is_on = true;
  raise(SIGUSR2);
  const int result = body(5, "42");
  g_stepping.is_on = false;
  return result + 1;
}

__attribute__((noinline)) int StepThrough() {
  Trace here;
  ucontext_t context;
  getcontext(&context);
  Walk(Registers::FromContext(context), false, &here);
  EXPECT_EQ(here.end, StepResult::kEndOfStack);
  g_stepping.known_count = std::min<size_t>(here.count - 1, std::size(g_stepping.known));
  for (size_t i = 0; i < g_stepping.known_count; ++i) {
    g_stepping.known[i] = here.pcs[here.count - g_stepping.known_count + i];
  }
  return SteppedCaller(SteppedBody);
}

TEST_F(CfiWalk, FindsTheCallersAtEveryInstruction) {
  g_stepping = Stepping();
  const test::CodeRange callee = RangeOf(reinterpret_cast<uintptr_t>(&SteppedBody));
  const test::CodeRange caller = RangeOf(reinterpret_cast<uintptr_t>(&SteppedCaller));
  ASSERT_NE(callee.begin, 0u);
  ASSERT_NE(caller.begin, 0u);
  g_stepping.callee = callee.begin;
  g_stepping.callee_end = callee.end;
  g_stepping.caller = caller.begin;
  g_stepping.caller_end = caller.end;
  SetHandler(SIGTRAP, CheckOneInstruction, 0);
  SetHandler(SIGUSR2, StartStepping, 0);
  StepThrough();
  signal(SIGTRAP, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
  printf("%u instructions, %u of them in the function itself, %u expressions, %u wrong\n",
         g_stepping.steps, g_stepping.in_callee, g_stepping.expressions, g_stepping.wrong);
  EXPECT_GT(g_stepping.steps, 100u);
  EXPECT_GT(g_stepping.in_callee, 30u);
  EXPECT_EQ(g_stepping.wrong, 0u) << "first at " << std::hex << g_stepping.first_wrong;
}

}  // namespace
}  // namespace spprof
