#include "signal_safe/machine/guarded_load.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core_support.h"
#include "platform/fault_handler.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {
namespace {

// One readable page followed by one that is not. Where the handler is somebody else's, by the
// kernel.
class GuardedLoad : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(InstallFaultHandler().ok());
    if (GetParam()) {
      if (test::kUnderTsan) GTEST_SKIP() << "TSan's own handler is in the kernel";
      struct sigaction foreign = {};
      foreign.sa_handler = [](int) { _exit(99); };
      ASSERT_EQ(sigaction(SIGSEGV, &foreign, &ours_), 0);
      CheckLoadGuard(kernel::MonotonicNs());
    }
    ASSERT_EQ(internal::LoadsByKernel(), GetParam());
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* memory =
        mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memory_ = static_cast<uint8_t*>(memory);
    for (size_t i = 0; i < page_; ++i) memory_[i] = static_cast<uint8_t>(i * 37 + i / 251);
    ASSERT_EQ(mprotect(memory_ + page_, page_, PROT_NONE), 0);
    edge_ = reinterpret_cast<uintptr_t>(memory_) + page_;
  }
  void TearDown() override {
    munmap(memory_, 2 * page_);
    if (GetParam()) sigaction(SIGSEGV, &ours_, nullptr);
    UninstallFaultHandler();
  }

  size_t page_ = 0;
  uint8_t* memory_ = nullptr;
  uintptr_t edge_ = 0;
  struct sigaction ours_ = {};
};

INSTANTIATE_TEST_SUITE_P(By, GuardedLoad, testing::Bool(),
                         [](const auto& by) { return by.param ? "Kernel" : "Fault"; });

TEST_P(GuardedLoad, ReadsWhatIsThereAlignedOrNot) {
  for (size_t offset : {size_t{0}, size_t{1}, size_t{7}, page_ - 8}) {
    uint64_t word = 0, expected64;
    uint32_t half = 0, expected32;
    uint16_t quarter = 0, expected16;
    memcpy(&expected64, memory_ + offset, 8);
    memcpy(&expected32, memory_ + offset, 4);
    memcpy(&expected16, memory_ + offset, 2);
    const auto address = reinterpret_cast<uintptr_t>(memory_ + offset);
    ASSERT_TRUE(GuardedLoad64(address, &word));
    ASSERT_TRUE(GuardedLoad32(address, &half));
    ASSERT_TRUE(GuardedLoad16(address, &quarter));
    EXPECT_EQ(word, expected64);
    EXPECT_EQ(half, expected32);
    EXPECT_EQ(quarter, expected16);
  }
}

TEST_P(GuardedLoad, FailsAndLeavesTheResultAloneWhereThePageCannotBeRead) {
  const uintptr_t unreadable[] = {
      edge_,
      edge_ - 1,  // straddles
      0,
      8,
      uintptr_t{0x8000000000000000},  // not canonical: general protection
      ~uintptr_t{0} - 1,
      uintptr_t{0xffffffff80000000}};  // the kernel's half
  for (uintptr_t address : unreadable) {
    uint64_t word = 0x1122334455667788;
    uint32_t half = 0x11223344;
    uint16_t quarter = 0x1122;
    EXPECT_FALSE(GuardedLoad64(address, &word)) << std::hex << address;
    EXPECT_FALSE(GuardedLoad32(address, &half)) << std::hex << address;
    EXPECT_FALSE(GuardedLoad16(address, &quarter)) << std::hex << address;
    EXPECT_EQ(word, 0x1122334455667788u);
    EXPECT_EQ(half, 0x11223344u);
    EXPECT_EQ(quarter, 0x1122u);
  }
}

TEST_P(GuardedLoad, FailsBehindTheEndOfAMappedFile) {
  FILE* file = tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(ftruncate(fileno(file), static_cast<off_t>(page_)), 0);
  void* mapped = mmap(nullptr, page_, PROT_READ, MAP_SHARED, fileno(file), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  uint64_t word;
  EXPECT_TRUE(GuardedLoad64(reinterpret_cast<uintptr_t>(mapped), &word));
  ASSERT_EQ(ftruncate(fileno(file), 0), 0);
  EXPECT_FALSE(GuardedLoad64(reinterpret_cast<uintptr_t>(mapped), &word));  // SIGBUS
  munmap(mapped, page_);
  fclose(file);
}

TEST_P(GuardedLoad, CopiesUpToTheFirstUnreadableByte) {
  for (size_t available = 0; available <= 40; ++available) {
    for (size_t size = 0; size <= 48; ++size) {
      uint8_t to[64];
      memset(to, 0xee, sizeof to);
      const size_t expected = std::min(available, size);
      ASSERT_EQ(GuardedCopy(to, edge_ - available, size), expected);
      ASSERT_EQ(memcmp(to, memory_ + page_ - available, expected), 0);
      for (size_t i = expected; i < sizeof to; ++i) ASSERT_EQ(to[i], 0xee);
    }
  }
}

TEST_P(GuardedLoad, SurvivesPagesThatComeAndGo) {
  std::atomic<bool> is_done{false};
  std::atomic<uint64_t> reads{0}, failures{0};
  const auto page = reinterpret_cast<uintptr_t>(memory_);
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!is_done.load(std::memory_order_relaxed)) {
        uint64_t word;
        uint8_t bytes[24];
        const bool ok = GuardedLoad64(page + 64, &word);
        const size_t copied = GuardedCopy(bytes, page + 100, sizeof bytes);
        // A page is there or not; what is there is what was written.
        if (ok) {
          ASSERT_EQ(word & 0xff, (64u * 37) & 0xff);
        }
        ASSERT_LE(copied, sizeof bytes);
        reads.fetch_add(1, std::memory_order_relaxed);
        if (!ok) failures.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (int flips = 0; flips < 2000 || failures.load() == 0; ++flips) {
    ASSERT_EQ(mprotect(memory_, page_, PROT_NONE), 0);
    ASSERT_EQ(mprotect(memory_, page_, PROT_READ | PROT_WRITE), 0);
  }
  is_done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(reads.load(), 0u);
  EXPECT_GT(failures.load(), 0u);
}

TEST(GuardedResumeAddress, KnowsOnlyTheGuardedInstructions) {
  using namespace internal;
  EXPECT_NE(GuardedResumeAddress(reinterpret_cast<uintptr_t>(spprof_guarded_load64_at)), 0u);
  EXPECT_EQ(GuardedResumeAddress(reinterpret_cast<uintptr_t>(&spprof_guarded_load64)), 0u);
  EXPECT_EQ(GuardedResumeAddress(reinterpret_cast<uintptr_t>(spprof_guarded_load_failed)), 0u);
  EXPECT_EQ(GuardedResumeAddress(0), 0u);
}

TEST(FaultHandler, IsReplacedByNobodyWhereItsOwnerHasTakenItAway) {
  ASSERT_TRUE(InstallFaultHandler().ok());
  UninstallFaultHandler();
  CheckLoadGuard(kernel::MonotonicNs());  // as the last look at the modules does
  EXPECT_FALSE(IsFaultHandlerReplaced());
}

}  // namespace
}  // namespace spprof
