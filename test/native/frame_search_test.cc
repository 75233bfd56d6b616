// Frame pointers that are found without the register, against what the compiler says.
#include "signal_safe/cfi/frame_search.h"

#include <alloca.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core_support.h"
#include "platform/fault_handler.h"
#include "platform/modules.h"

namespace spprof {
namespace {

#if defined(__x86_64__)

// What the callers below are asked for.
struct Modules {
  Modules() {
    for (const LoadedModule& module : ListModules(0)) ranges.push_back(module.range);
    table = {ranges.data(), ranges.size()};
  }
  std::vector<ModuleRange> ranges;
  ModuleTable table;
};

const Modules& AllModules() {
  static const Modules* const modules = new Modules;
  return *modules;
}

// The frame pointer of the function that it is inlined into, as it is found; 0: it was not.
[[gnu::always_inline]] inline uint64_t FoundHere() {
  uint64_t sp, pc, fp = 0;
  asm volatile("movq %%rsp, %0; leaq (%%rip), %1" : "=r"(sp), "=r"(pc));
  const ModuleTable& table = AllModules().table;
  const ModuleRange* module = table.At(table.Find(pc));
  if (module == nullptr || !FindFramePointer(table, module->cfi, pc, sp, &fp)) return 0;
  return fp;
}

#define FRAMED [[gnu::noinline, gnu::optimize("no-omit-frame-pointer")]]

FRAMED void Small() {
  EXPECT_EQ(FoundHere(), reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
}

FRAMED void Large() {
  volatile char room[20000];
  room[0] = 1;
  EXPECT_EQ(FoundHere(), reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  EXPECT_EQ(room[0], 1);
}

FRAMED void Aligned() {
  alignas(64) volatile char room[128];
  room[0] = 1;
  EXPECT_EQ(FoundHere(), reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  EXPECT_EQ(room[0], 1);
}

// Further away than is searched: nothing may be found rather than something else.
FRAMED void Allocating(size_t size) {
  auto* const room = static_cast<volatile char*>(alloca(size));
  room[0] = 1;
  const uint64_t found = FoundHere();
  EXPECT_TRUE(found == 0 || found == reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  EXPECT_EQ(room[0], 1);
}

class FrameSearch : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "sanitizers make frames of their own";
    ASSERT_TRUE(InstallFaultHandler().ok());
  }
  void TearDown() override { UninstallFaultHandler(); }
};

TEST_F(FrameSearch, FindsTheFrameOfAFunctionThatIsCalledByName) {
  Small();
  Large();
  Aligned();
  asm volatile("");  // not a tail call
}

TEST_F(FrameSearch, FindsTheFrameOfAFunctionThatIsCalledThroughAPointer) {
  void (*volatile small)() = Small;
  void (*volatile large)() = Large;
  small();
  large();
}

TEST_F(FrameSearch, NeverFindsAnotherFrame) {
  for (const size_t size : {16, 100, 500, 5000}) Allocating(size);
}

TEST_F(FrameSearch, KnowsACall) {
  EXPECT_TRUE(FollowsCall(reinterpret_cast<uint64_t>(__builtin_return_address(0))));
  EXPECT_FALSE(FollowsCall(8));
}

#endif

}  // namespace
}  // namespace spprof
