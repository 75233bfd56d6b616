// Each test runs in a child process of its own: signal actions are the process's, and some of the
// claims are about how it dies.
#include "platform/fault_handler.h"

#include <gtest/gtest.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "core_support.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {
namespace {

// Runs `body` in a child that starts with the default actions (the sanitizers have handlers of
// their own); its wait status.
template <typename Body>
int RunInChild(Body body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

void ExpectSuccess(int status) {
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "a claim failed at this line, modulo 200, plus 1";
}

void ExpectDeath(int status, int number) {
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), number);
}

// In a child: a claim that fails ends it with the line as its status.
#define REQUIRE(claim)                       \
  do {                                       \
    if (!(claim)) return __LINE__ % 200 + 1; \
  } while (false)

// Not seen through by the compiler or a sanitizer.
__attribute__((noinline, no_sanitize("address", "undefined", "thread"))) int LoadFrom(
    volatile int* address) {
  return *address;
}
volatile int* const kNowhere = reinterpret_cast<volatile int*>(0x10);

bool GuardedLoadFails() {
  uint64_t word;
  return !GuardedLoad64(16, &word);
}

sigjmp_buf g_escape;
volatile sig_atomic_t g_calls;
volatile sig_atomic_t g_signal;
volatile uintptr_t g_address;
volatile sig_atomic_t g_usr1_is_blocked;
volatile sig_atomic_t g_segv_is_blocked;

void Escape(int signal, siginfo_t* info, void*) {
  g_calls = g_calls + 1;
  g_signal = signal;
  g_address = reinterpret_cast<uintptr_t>(info->si_addr);
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  g_usr1_is_blocked = sigismember(&blocked, SIGUSR1);
  g_segv_is_blocked = sigismember(&blocked, SIGSEGV);
  siglongjmp(g_escape, 1);
}

void SetAction(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  sigaction(signal, &action, nullptr);
}

TEST(FaultHandler, LetsGuardedLoadsFail) {
  ExpectSuccess(RunInChild([] {
    REQUIRE(!FaultHandlerIsInstalled());
    REQUIRE(InstallFaultHandler().ok());
    REQUIRE(FaultHandlerIsInstalled());
    REQUIRE(GuardedLoadFails());
    return 0;
  }));
}

TEST(FaultHandler, LetsAnotherFaultKillWithTheSameSignal) {
  ExpectDeath(RunInChild([] {
                if (!InstallFaultHandler().ok()) return 1;
                return LoadFrom(kNowhere);
              }),
              SIGSEGV);
}

// Just larger than the kernel's frame: the handler itself faults.
TEST(FaultHandler, KillsOnASignalStackThatIsTooSmallInsteadOfRepeating) {
  if (test::kUnderTsan || test::kUnderAsan)
    GTEST_SKIP() << "sanitizers have signal stacks of their own";
  const size_t frame = sysconf(_SC_MINSIGSTKSZ);
  for (size_t size = frame - 512; size <= frame + 512; size += 32) {
    SCOPED_TRACE(size);
    ExpectDeath(RunInChild([size] {
                  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
                  const size_t mapped = (size + page - 1) / page * page;
                  auto* memory = static_cast<char*>(
                      mmap(nullptr, page + mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
                  REQUIRE(mprotect(memory + page, mapped, PROT_READ | PROT_WRITE) == 0);
                  const stack_t stack = {memory + page, 0, size};
                  REQUIRE(sigaltstack(&stack, nullptr) == 0);
                  REQUIRE(InstallFaultHandler().ok());
                  alarm(10);
                  return LoadFrom(kNowhere);
                }),
                SIGSEGV);
  }
}

TEST(FaultHandler, RunsWithEverySignalBlockedAndThePreviousOneWithItsOwnMask) {
  ExpectSuccess(RunInChild([] {
    struct sigaction action = {};
    action.sa_sigaction = [](int, siginfo_t*, void*) {
      uint64_t mask = 0;
      kernel::Call(SYS_rt_sigprocmask, SIG_BLOCK, 0, reinterpret_cast<int64_t>(&mask), 8);
      const uint64_t expected = SignalBit(SIGSEGV) | SignalBit(SIGUSR1) | SignalBit(SIGUSR2);
      _exit(mask == expected ? 0 : 1);
    };
    action.sa_flags = SA_SIGINFO;
    sigaddset(&action.sa_mask, SIGUSR1);
    REQUIRE(sigaction(SIGSEGV, &action, nullptr) == 0);
    SetSignalMask(SignalBit(SIGUSR2));
    REQUIRE(InstallFaultHandler().ok());
    struct sigaction ours = {};
    REQUIRE(sigaction(SIGSEGV, nullptr, &ours) == 0);
    const uint64_t unblockable = SignalBit(SIGKILL) | SignalBit(SIGSTOP);
    REQUIRE((SignalBits(ours.sa_mask) | unblockable) == ~uint64_t{0});
    return LoadFrom(kNowhere);
  }));
}

TEST(FaultHandler, LetsASentSignalKillAsIfItWereNotThere) {
  for (int number : {SIGSEGV, SIGBUS}) {
    ExpectDeath(RunInChild([number] {
                  if (!InstallFaultHandler().ok()) return 1;
                  kill(getpid(), number);
                  return 2;
                }),
                number);
  }
}

TEST(FaultHandler, IgnoresASentSignalThatWasIgnoredButNotAFault) {
  ExpectDeath(RunInChild([] {
                signal(SIGSEGV, SIG_IGN);
                if (!InstallFaultHandler().ok()) return 1;
                kill(getpid(), SIGSEGV);
                if (!FaultHandlerIsInstalled()) return 2;
                return LoadFrom(kNowhere);
              }),
              SIGSEGV);
}

TEST(FaultHandler, CallsThePreviousHandlerWithItsContextAndMask) {
  ExpectSuccess(RunInChild([] {
    SetAction(SIGSEGV, Escape);
    REQUIRE(InstallFaultHandler().ok());
    for (int i = 1; i <= 3; ++i) {
      if (sigsetjmp(g_escape, 1) == 0) {
        LoadFrom(kNowhere);
        return 1;
      }
      REQUIRE(g_calls == i);
      REQUIRE(g_signal == SIGSEGV);
      REQUIRE(g_address == reinterpret_cast<uintptr_t>(kNowhere));
      REQUIRE(g_usr1_is_blocked == 1);
      REQUIRE(g_segv_is_blocked == 1);
      REQUIRE(GuardedLoadFails());
      REQUIRE(g_calls == i);
    }
    return 0;
  }));
}

TEST(FaultHandler, LeavesThePreviousHandlersSignalOpenIfItAskedForThat) {
  ExpectSuccess(RunInChild([] {
    SetAction(SIGSEGV, Escape, SA_NODEFER);
    REQUIRE(InstallFaultHandler().ok());
    if (sigsetjmp(g_escape, 1) == 0) LoadFrom(kNowhere);
    REQUIRE(g_calls == 1);
#if !defined(__SANITIZE_THREAD__)  // whose sigaction() blocks every signal while a handler runs
    REQUIRE(g_segv_is_blocked == 0);
#endif
    return 0;
  }));
}

TEST(FaultHandler, CallsAPreviousOneShotHandlerOnce) {
  ExpectDeath(RunInChild([] {
                SetAction(SIGSEGV, Escape, SA_RESETHAND);
                REQUIRE(InstallFaultHandler().ok());
                if (sigsetjmp(g_escape, 1) == 0) LoadFrom(kNowhere);
                REQUIRE(g_calls == 1);
                return LoadFrom(kNowhere);
              }),
              SIGSEGV);
}

// As Node's WebAssembly trap handler does: change the context and return.
void MakeReadable(int, siginfo_t* info, void*) {
  g_calls = g_calls + 1;
  const auto page = reinterpret_cast<uintptr_t>(info->si_addr) & ~uintptr_t{4095};
  mprotect(reinterpret_cast<void*>(page), 4096, PROT_READ | PROT_WRITE);
}

TEST(FaultHandler, LetsThePreviousHandlerMendTheFaultAndReturn) {
  ExpectSuccess(RunInChild([] {
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SetAction(SIGSEGV, MakeReadable);
    REQUIRE(InstallFaultHandler().ok());
    errno = 77;
    REQUIRE(LoadFrom(static_cast<volatile int*>(page)) == 0);
    REQUIRE(errno == 77);
    REQUIRE(g_calls == 1);
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    REQUIRE(!sigismember(&blocked, SIGUSR1) && !sigismember(&blocked, SIGSEGV));
    return 0;
  }));
}

TEST(FaultHandler, PutsThePreviousActionBack) {
  ExpectSuccess(RunInChild([] {
    SetAction(SIGSEGV, Escape, SA_RESTART);
    struct sigaction before, after;
    sigaction(SIGSEGV, nullptr, &before);
    for (int i = 0; i < 100; ++i) {
      REQUIRE(InstallFaultHandler().ok());
      REQUIRE(InstallFaultHandler().ok());
      UninstallFaultHandler();
    }
    REQUIRE(!FaultHandlerIsInstalled());
    sigaction(SIGSEGV, nullptr, &after);
    REQUIRE(before.sa_sigaction == after.sa_sigaction && before.sa_flags == after.sa_flags);
    REQUIRE(sigismember(&after.sa_mask, SIGUSR1) == 1 && sigismember(&after.sa_mask, SIGUSR2) == 0);
    sigaction(SIGBUS, nullptr, &after);
    REQUIRE(after.sa_handler == SIG_DFL);
    return 0;
  }));
}

struct sigaction g_below;
void PassOn(int signal, siginfo_t* info, void* context) {
  g_calls = g_calls + 1;
  g_below.sa_sigaction(signal, info, context);
}
void PutOnTop() {
  sigaction(SIGSEGV, nullptr, &g_below);
  SetAction(SIGSEGV, PassOn);
}

TEST(FaultHandler, StaysBelowAHandlerThatWasPutOnTop) {
  ExpectSuccess(RunInChild([] {
    REQUIRE(InstallFaultHandler().ok());
    PutOnTop();
    REQUIRE(!FaultHandlerIsInstalled());
    REQUIRE(GuardedLoadFails());  // through the other one
    REQUIRE(g_calls == 1);
    UninstallFaultHandler();
    struct sigaction current;
    sigaction(SIGSEGV, nullptr, &current);
    REQUIRE(current.sa_sigaction == PassOn);
    REQUIRE(GuardedLoadFails());
    REQUIRE(g_calls == 2);
    // Installed again it lies above, and below: a fault that is nobody's must still come to an end.
    REQUIRE(InstallFaultHandler().ok());
    REQUIRE(FaultHandlerIsInstalled());
    REQUIRE(GuardedLoadFails());
    REQUIRE(g_calls == 2);
    return 0;
  }));
  ExpectDeath(RunInChild([] {
                REQUIRE(InstallFaultHandler().ok());
                PutOnTop();
                UninstallFaultHandler();
                REQUIRE(InstallFaultHandler().ok());
                alarm(10);  // a circle of the two would not end
                return LoadFrom(kNowhere);
              }),
              SIGSEGV);
}

TEST(FaultHandler, LoadsDoWithoutItWhileAnotherIsInForce) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan's own handler is in the kernel";
  ExpectSuccess(RunInChild([] {
    constexpr uint64_t kTwoChecks = 20'000'000;
    REQUIRE(InstallFaultHandler().ok());
    uint64_t word, now_ns = kernel::MonotonicNs();
    for (const int number : {SIGSEGV, SIGBUS}) {
      struct sigaction foreign = {}, ours;
      foreign.sa_handler = [](int) { _exit(99); };
      REQUIRE(sigaction(number, &foreign, &ours) == 0);
      CheckLoadGuard(now_ns += kTwoChecks);
      REQUIRE(IsFaultHandlerReplaced());
      REQUIRE(!GuardedLoad64(reinterpret_cast<uintptr_t>(kNowhere), &word));
      REQUIRE(sigaction(number, &ours, nullptr) == 0);
      CheckLoadGuard(now_ns += kTwoChecks);
      REQUIRE(!IsFaultHandlerReplaced());
      REQUIRE(!GuardedLoad64(reinterpret_cast<uintptr_t>(kNowhere), &word));
    }
    return 0;
  }));
}

TEST(FaultHandler, RefusesToBeBuriedWithoutEnd) {
  ExpectSuccess(RunInChild([] {
    for (int i = 0; i < 8; ++i) {
      REQUIRE(InstallFaultHandler().ok());
      PutOnTop();
      UninstallFaultHandler();
    }
    const Status status = InstallFaultHandler();
    REQUIRE(!status.ok());
    REQUIRE(!FaultHandlerIsInstalled());
    struct sigaction current;
    sigaction(SIGBUS, nullptr, &current);
    REQUIRE(current.sa_handler == SIG_DFL);
    return 0;
  }));
}

}  // namespace
}  // namespace spprof
