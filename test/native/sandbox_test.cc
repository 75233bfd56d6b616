// A program that has put itself into a sandbox, after which a call that it does not know ends it.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>

#include "sampler_support.h"

namespace spprof {
namespace {

// Of all threads. False: this system has no such filters.
bool KillUpon(uint32_t call) {
  sock_filter filter[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(filter)), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

// Reading another process's memory is what sandboxes forbid, and so is the same of one's own.
TEST(Sandbox, ThreadsThatComeAreSampledWithoutReadingMemoryByTheKernel) {
  EXPECT_EXIT(
      {
        test::SamplerHarness harness(TimerEngine::kTick);
        if (!harness.sampler().Start().ok()) _exit(1);
        if (!KillUpon(SYS_process_vm_readv)) {
          std::puts("NOT RUN: no seccomp filters here");
          _exit(0);
        }
        std::atomic<pid_t> tid{0};
        std::thread thread([&tid] {
          tid = CurrentThreadId();
          test::BurnCpu(50'000'000);
        });
        const bool is_added = test::WaitUntil([&] {
          harness.sampler().ScanThreads();
          return tid != 0 && harness.SlotOf(tid) != kNoSlot;
        });
        thread.join();
        harness.sampler().Stop();
        _exit(is_added ? 0 : 2);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace spprof
