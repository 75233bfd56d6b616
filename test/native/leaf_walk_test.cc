// The walk at each instruction of prologues, epilogues, PLT stubs, frameless code, realigned
// stacks, the vDSO, system calls and signal returns, against the calls that were really made. A
// stack may end early and say so; it is never wrong.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unwind.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "core_support.h"
#include "handler_support.h"
#include "signal_safe/walk/walker.h"
#include "single_step.h"

namespace spprof {
namespace {

constexpr size_t kMaxBase = 64;

// What the steps of one stretch have shown. Filled within the handler of SIGTRAP: no allocation.
struct Steps {
  test::HandlerHarness* harness;
  uint32_t slot;
  uint64_t base[kMaxBase];  // callers of the stretch, as a walk names them
  size_t base_count = 0;
  uint64_t count = 0;
  uint64_t incomplete = 0;
  uint64_t incomplete_pc = 0;
  uint64_t dismantled = 0;  // not judged: the stack is being left by other ways than returns
  bool is_dismantled = false;
  uint64_t wrong = 0;
  // The first wrong stack.
  uint64_t wrong_expected[128];
  uint64_t wrong_walked[128];
  size_t wrong_expected_count = 0, wrong_walked_count = 0;
};

WalkResult Walk(test::HandlerHarness* harness, uint32_t slot, const ucontext_t& here) {
  HandlerContext& context = harness->context();
  ThreadState* state = context.State(slot);
  const V8Reader reader(context.v8, &state->walk.known_maps);
  Definitions definitions(context.Slot(slot), context.region, &state->walk, reader);
  Walker walker(*context.modules.load(), context.v8, reader, &state->walk, &definitions,
                context.walk);
  return walker.Walk(Registers::FromContext(here));
}

void Judge(Steps* steps, const ucontext_t& here, const test::CallChain& chain) {
  const WalkResult walk = Walk(steps->harness, steps->slot, here);
  const Frame* frames = steps->harness->State(steps->slot)->walk.frames;
  const size_t expected = 1 + chain.depth() + steps->base_count;
  const auto expected_at = [&](size_t i) {
    if (i == 0) return static_cast<uint64_t>(here.uc_mcontext.gregs[REG_RIP]);
    return i <= chain.depth() ? chain.CallerAt(static_cast<uint32_t>(i - 1))
                              : steps->base[i - 1 - chain.depth()];
  };
  steps->count++;
  // Its last step is the return to where it goes on.
  const bool was_dismantled = std::exchange(steps->is_dismantled, !chain.is_intact());
  if (was_dismantled || steps->is_dismantled) {
    steps->dismantled++;
    return;
  }
  if (!walk.is_complete) {
    steps->incomplete++;
    if (steps->incomplete_pc == 0) steps->incomplete_pc = expected_at(0);
  }
  bool is_right = walk.is_complete ? walk.frame_count == expected : walk.frame_count <= expected;
  for (size_t i = 0; is_right && i < walk.frame_count; i++) {
    is_right = frames[i] == MakeFrame(FrameType::kNative, expected_at(i));
  }
  if (is_right || steps->wrong++ != 0) return;
  while (steps->wrong_expected_count < std::min<size_t>(expected, 128)) {
    steps->wrong_expected[steps->wrong_expected_count] = expected_at(steps->wrong_expected_count);
    steps->wrong_expected_count++;
  }
  steps->wrong_walked_count = std::min<size_t>(walk.frame_count, 128);
  std::copy_n(frames, steps->wrong_walked_count, steps->wrong_walked);
}

bool OnStep(void* data, const ucontext_t& here, const test::CallChain& chain) {
  Judge(static_cast<Steps*>(data), here, chain);
  return true;
}

std::string Describe(uint64_t pc) {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(pc), &info);
  std::ostringstream text;
  text << std::hex << pc << ' ' << (info.dli_sname != nullptr ? info.dli_sname : "?") << " in "
       << (info.dli_fname != nullptr ? info.dli_fname : "?") << " + "
       << pc - reinterpret_cast<uint64_t>(info.dli_fbase);
  return text.str();
}

std::string Describe(const Steps& steps) {
  std::ostringstream text;
  text << steps.wrong << " of " << steps.count << " steps wrong, the first\n expected:\n";
  for (size_t i = 0; i < steps.wrong_expected_count; i++) {
    text << "  " << Describe(steps.wrong_expected[i]) << '\n';
  }
  text << " walked:\n";
  for (size_t i = 0; i < steps.wrong_walked_count; i++) {
    text << "  " << Describe(FrameAddressOf(steps.wrong_walked[i])) << '\n';
  }
  return text.str();
}

// The callers of the function that calls this one, from libgcc.
__attribute__((noinline)) void CollectCallers(Steps* steps) {
  size_t skip = 2;  // this function, and its caller
  const auto collect = [&](_Unwind_Context* frame) {
    const uintptr_t pc = _Unwind_GetIP(frame);
    if (pc == 0 || steps->base_count == kMaxBase) return _URC_END_OF_STACK;
    if (skip > 0) {
      skip--;
    } else {
      steps->base[steps->base_count++] = pc - 1;
    }
    return _URC_NO_REASON;
  };
  _Unwind_Backtrace([](_Unwind_Context* frame,
                       void* data) { return (*static_cast<decltype(collect)*>(data))(frame); },
                    const_cast<void*>(static_cast<const void*>(&collect)));
}

test::SingleStepper* g_stepper;

class LeafWalk : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "a sanitizer's own code would be stepped, too";
    steps_.harness = &harness_;
    steps_.slot = harness_.AddThread();
  }

  // Steps through `stretch`; each of its stacks must be right, and all but `max_incomplete` whole.
  __attribute__((noinline)) void StepThrough(void (*stretch)(), uint64_t at_least,
                                             uint64_t max_incomplete = 0) {
    test::SingleStepper stepper(OnStep, &steps_);
    g_stepper = &stepper;
    CollectCallers(&steps_);
    stepper.Begin();
    stretch();
    stepper.End();
    EXPECT_GE(steps_.count, at_least);
    EXPECT_EQ(steps_.wrong, 0u) << Describe(steps_);
    EXPECT_LE(steps_.incomplete, max_incomplete)
        << "of " << steps_.count << ", the first at " << Describe(steps_.incomplete_pc);
  }

  test::HandlerHarness harness_;
  Steps steps_;
};

// Shapes of functions. `volatile` keeps the calls, an argument keeps them from being folded.
volatile int g_value = 3;

#define SPPROF_FRAMELESS __attribute__((noinline, optimize("omit-frame-pointer")))

SPPROF_FRAMELESS int Frameless(int a) { return a * g_value + 1; }
SPPROF_FRAMELESS int FramelessWithCall(int a) { return Frameless(a) + Frameless(a + 1); }
SPPROF_FRAMELESS int SavesManyRegisters(int a) {
  int many[6];
  for (int i = 0; i < 6; i++) many[i] = FramelessWithCall(a + i);
  return many[0] + many[1] * many[2] + many[3] * many[4] + many[5];
}
SPPROF_FRAMELESS int Realigned(int a) {
  alignas(64) volatile char aligned[64];
  aligned[a & 63] = 1;
  auto* dynamic = static_cast<volatile char*>(alloca(static_cast<size_t>(a) + 16));
  dynamic[a] = 2;
  return FramelessWithCall(a) + aligned[a & 63] + dynamic[a];
}
SPPROF_FRAMELESS __attribute__((force_align_arg_pointer)) int RealignedAtEntry(int a) {
  return FramelessWithCall(a) + 1;
}
__attribute__((noinline)) int WithFrame(int depth) {
  volatile int below = depth == 0 ? 0 : WithFrame(depth - 1);
  return below + 1;
}
SPPROF_FRAMELESS int TailCalls(int a) { return SavesManyRegisters(a + 1); }

TEST_F(LeafWalk, IsRightAtEachInstructionOfProloguesAndEpilogues) {
  StepThrough(
      [] {
        g_value = WithFrame(4) + SavesManyRegisters(1) + TailCalls(2) + Frameless(3);
        g_value = 3;
      },
      200);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfFunctionsThatRealignTheStack) {
  StepThrough([] { g_value = (Realigned(5) + RealignedAtEntry(6)) & 7; }, 50);
}

// This test is linked for lazy binding (CMakeLists.txt): the first call of each function goes
// through the loader's resolver.
TEST_F(LeafWalk, IsRightAtEachInstructionOfPltStubsAndOfLazyBinding) {
  StepThrough(
      [] {
        for (int i = 0; i < 2; i++) {
          g_value = static_cast<int>(std::lgamma(g_value + 0.5)) + (l64a(g_value)[0] & 1) + ffs(12);
        }
        g_value = 3;
      },
      2000);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfLibcsAssembly) {
  static char text[4096];
  static char copy[4096];
  StepThrough(
      [] {
        for (size_t size : {0u, 1u, 7u, 31u, 64u, 200u, 1000u, 4000u}) {
          std::memset(text, 'a', size);
          text[size] = 0;
          std::memcpy(copy, text, size + 1);
          std::memmove(copy + 1, copy, size / 2);
          g_value = static_cast<int>(std::strlen(copy)) + std::strcmp(text, copy) +
                    (std::memchr(text, 'b', size) != nullptr);
        }
        g_value = 3;
      },
      1000);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfPrintfAndOfACallbackOfQsort) {
  StepThrough(
      [] {
        char text[128];
        snprintf(text, sizeof(text), "%d %s %.3f", 42, "some text", 1.5);
        int numbers[] = {5, 3, 9, 1, 7, 2};
        qsort(numbers, 6, sizeof(int), [](const void* a, const void* b) {
          return *static_cast<const int*>(a) - *static_cast<const int*>(b);
        });
      },
      2000);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfTheVdsoAndOfSystemCalls) {
  StepThrough(
      [] {
        struct timespec time;
        struct timeval day;
        clock_gettime(CLOCK_MONOTONIC, &time);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        gettimeofday(&day, nullptr);
        g_value = getppid() > 0 ? 3 : 4;
        syscall(SYS_getpid);
      },
      150);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfASignalsHandlerAndOfItsReturn) {
  struct sigaction action {};
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    g_stepper->StepInHandler(context);
    g_value = FramelessWithCall(g_value) & 3;
  };
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(sigaction(SIGUSR2, &action, nullptr), 0);
  StepThrough([] { raise(SIGUSR2); }, 60);
  signal(SIGUSR2, SIG_DFL);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfAThrowAndOfItsCatch) {
  StepThrough(
      [] {
        try {
          if (FramelessWithCall(g_value) != 0) throw std::runtime_error("thrown on purpose");
        } catch (const std::runtime_error& error) {
          g_value = static_cast<int>(std::strlen(error.what())) & 3;
        }
      },
      5000, 8);
  EXPECT_LT(steps_.dismantled, 100u);
}

TEST_F(LeafWalk, IsRightAtEachInstructionOfTheLoader) {
  StepThrough([] { g_value = dlsym(RTLD_DEFAULT, "qsort") != nullptr ? 3 : 4; }, 500);
}

}  // namespace
}  // namespace spprof
