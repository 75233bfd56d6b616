// V8's state in an isolate of our own, told by an entry frame on our own stack.
#include "v8/vm_state.h"

#include <gtest/gtest.h>

#include <vector>

#include "platform/fault_handler.h"

namespace spprof {
namespace {

constexpr uint32_t kIsolateWords = 0x6000 / 8;
constexpr uint32_t kEntryWord = 59;  // as in Node 24

class VmState : public testing::Test {
 protected:
  VmState() : isolate_(kIsolateWords, 0) { EXPECT_TRUE(InstallFaultHandler().ok()); }
  ~VmState() override { UninstallFaultHandler(); }

  // With a frame on the stack whose marker is `marker`.
  __attribute__((noinline)) uint32_t Find(uint64_t marker, uint64_t state) {
    volatile uint64_t frame[2] = {marker, 0};
    isolate_[kEntryWord] = reinterpret_cast<uint64_t>(&frame[1]);
    isolate_[kEntryWord + 2] = state;
    V8Layout v8;
    v8.frame_entry = 1;
    v8.frame_construct_entry = 2;
    return Search(v8);
  }
  __attribute__((noinline)) uint32_t Search(const V8Layout& v8) {
    return FindVmState(reinterpret_cast<uintptr_t>(isolate_.data()), v8);
  }
  std::vector<uint64_t> isolate_;
};

TEST_F(VmState, IsTwoWordsBehindTheEntryFrame) {
  EXPECT_EQ(Find(1 << 1, kVmStateJs), (kEntryWord + 2) * 8);
  EXPECT_EQ(Find(2 << 1, kVmStateExternal), (kEntryWord + 2) * 8);
}

TEST_F(VmState, FurtherFieldsMayShareItsWord) {
  EXPECT_EQ(Find(1 << 1, 0x12340000 | kVmStateExternal), (kEntryWord + 2) * 8);
}

TEST_F(VmState, OtherFramesAreNotEntryFrames) {
  EXPECT_EQ(Find(3 << 1, kVmStateJs), 0u);
  EXPECT_EQ(Find(0, kVmStateJs), 0u);
}

TEST_F(VmState, WeRunJavaScriptAndDoNotCollect) { EXPECT_EQ(Find(1 << 1, kVmStateGc), 0u); }

TEST_F(VmState, AnEntryFrameOfAnotherStackIsNotOurs) {
  const std::vector<uint64_t> elsewhere = {1 << 1, 0};
  isolate_[kEntryWord] = reinterpret_cast<uint64_t>(&elsewhere[1]);
  V8Layout v8;
  EXPECT_EQ(Search(v8), 0u);
}

}  // namespace
}  // namespace spprof
