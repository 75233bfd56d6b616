// Random damage to a real library's call-frame information: no crash, no endless loop, no read
// outside the module.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>

#include "cfi_test_support.h"
#include "signal_safe/cfi/cfi.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {
namespace {

std::atomic<uint64_t> g_guarded_faults;

// Not the real handler: a fault of a guarded load is a read outside the bounds here, and counted.
void CountFault(int number, siginfo_t*, void* data) {
  auto* context = static_cast<ucontext_t*>(data);
  const uintptr_t resume =
      GuardedResumeAddress(static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RIP]));
  if (resume == 0) {
    signal(number, SIG_DFL);
    return;
  }
  ++g_guarded_faults;
  context->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(resume);
}

// CPU time: how busy the machine is does not count.
uint64_t ThreadCpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

TEST(CfiDamage, NeverCrashesLoopsOrReadsOutside) {
  const uint32_t seed = std::random_device{}();
  printf("seed %u\n", seed);
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);

  struct sigaction action = {}, previous_segv, previous_bus;
  action.sa_sigaction = CountFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, &previous_segv);
  sigaction(SIGBUS, &action, &previous_bus);
  g_guarded_faults = 0;

  const auto elf = test::MappedElf::Open("/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
  ASSERT_NE(elf, nullptr);
  const CfiModule& original = elf->module();
  const auto ranges = test::RangesOf(original);
  // From the header to the end of the segment: the section follows it there. Flush against a page
  // that cannot be read.
  const size_t wanted =
      std::min<size_t>(original.mapped_end - original.eh_frame_hdr, size_t{1} << 19);
  const size_t size = (wanted + 4095) & ~size_t{4095};
  auto* memory = static_cast<uint8_t*>(
      mmap(nullptr, size + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(memory + 4096, size, PROT_READ | PROT_WRITE), 0);
  uint8_t* copy = memory + 4096 + (size - wanted);
  memcpy(copy, reinterpret_cast<const void*>(original.eh_frame_hdr), wanted);
  const auto shift = reinterpret_cast<uintptr_t>(copy) - original.eh_frame_hdr;
  const CfiModule module{original.start + shift,
                         original.end + shift,
                         reinterpret_cast<uintptr_t>(copy),
                         original.eh_frame_hdr_size,
                         reinterpret_cast<uintptr_t>(copy),
                         reinterpret_cast<uintptr_t>(copy) + wanted};

  uint64_t stack[64];
  uint64_t slowest_ns = 0;
  uint32_t kinds[5] = {}, stepped = 0;
  for (int round = 0; round < 100000; ++round) {
    const size_t index = random() % ranges.size();
    const test::CodeRange range = ranges[index];
    const uintptr_t pc =
        shift + range.begin + (range.end > range.begin ? random() % (range.end - range.begin) : 0);
    int32_t entry;
    memcpy(&entry, copy + 16 + 8 * index, 4);
    struct Change {
      size_t at;
      uint8_t old;
    } changes[6];
    const unsigned count = 1 + random() % 6;
    for (unsigned i = 0; i < count; ++i) {
      size_t at;
      switch (random() % 8) {
        case 0:
          at = random() % 16;  // the header
          break;
        case 1:
          at = 12 + 8 * index + random() % 8;  // its row of the table
          break;
        case 2:
          at = original.eh_frame_hdr_size + random() % 32;  // the first CIE, most often the entry's
          break;
        default:
          at = static_cast<size_t>(entry) + random() % 48;
      }
      at = std::min(at, wanted - 1);
      changes[i] = {at, copy[at]};
      copy[at] = random() % 3 == 0 ? static_cast<uint8_t>(copy[at] ^ (1u << (random() % 8)))
                                   : static_cast<uint8_t>(random() % 5 == 0 ? 0xff : random());
    }
    const uint64_t start_ns = ThreadCpuNs();
    const UnwindRule rule = DecodeRule(module, pc);
    Registers registers{};
    uint64_t* words = &registers.pc;
    for (size_t i = 0; i < offsetof(Registers, has_scratch) / 8; ++i) {
      words[i] = random() % 4 == 0 ? random() : reinterpret_cast<uintptr_t>(stack + random() % 64);
    }
    for (uint64_t& word : stack)
      word = random() % 2 ? random() : reinterpret_cast<uintptr_t>(stack + random() % 64);
    registers.pc = pc;
    registers.sp = reinterpret_cast<uintptr_t>(stack + 16 +
                                               random() % 48);  // the red zone is the array's, too
    const Registers before = registers;
    const StepResult result =
        ApplyRule(module, rule, pc, reinterpret_cast<uintptr_t>(stack + 64), &registers);
    slowest_ns = std::max(slowest_ns, ThreadCpuNs() - start_ns);
    ++kinds[static_cast<int>(rule.kind)];
    stepped += result == StepResult::kOk;
    if (result == StepResult::kOk && !rule.is_signal_frame) {
      ASSERT_GE(registers.sp, before.sp);
    }
    for (unsigned i = count; i-- > 0;) copy[changes[i].at] = changes[i].old;
  }
  sigaction(SIGSEGV, &previous_segv, nullptr);
  sigaction(SIGBUS, &previous_bus, nullptr);
  munmap(memory, size + 8192);
  printf(
      "none %u, plain %u, expression %u, end %u, bad %u; stepped %u; slowest %.1f us; faults %lu\n",
      kinds[0], kinds[1], kinds[2], kinds[3], kinds[4], stepped,
      static_cast<double>(slowest_ns) / 1000, static_cast<unsigned long>(g_guarded_faults.load()));
  EXPECT_EQ(g_guarded_faults.load(), 0u);
  EXPECT_LT(slowest_ns, 20'000'000u);
}

}  // namespace
}  // namespace spprof
