// When the kernel's tick comes.
#include "base/kernel_tick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "platform/kernel_tick_clock.h"
#include "sampler_support.h"

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(KernelTick, WhatComesWithATickHasNotWaited) {
  constexpr uint64_t kPhase = 3 * kMs;
  EXPECT_EQ(SinceTick(11 * kMs, 4 * kMs, kPhase), 0u);
  EXPECT_EQ(SinceTick(11 * kMs + 200'000, 4 * kMs, kPhase), 0u) << "interrupts take a while";
  EXPECT_EQ(SinceTick(11 * kMs - 20'000, 4 * kMs, kPhase), 0u) << "another CPU's is earlier";
  EXPECT_EQ(SinceTick(13 * kMs, 4 * kMs, kPhase), 2 * kMs);
  EXPECT_EQ(SinceTick(2 * kMs, 4 * kMs, kPhase), 3 * kMs) << "before the first";
}

TEST(KernelTick, NothingIsKnownWithoutPeriodOrPhase) {
  EXPECT_EQ(SinceTick(13 * kMs, 0, 3 * kMs), 0u);
  EXPECT_EQ(SinceTick(13 * kMs, 4 * kMs, kUnknownPhase), 0u);
}

// The machine's, so the same whenever it is looked for; one that was interrupted may be off.
TEST(KernelTick, ThePhaseStaysTheSame) {
  const uint64_t tick_ns = KernelTickNs();
  if (tick_ns == 0) {
    EXPECT_EQ(FindTickPhaseNs(), kUnknownPhase) << "this kernel does not tell its tick";
    return;
  }
  std::vector<uint64_t> phases;
  for (uint64_t i = 0; i < 200 && phases.size() < 21; i++) {
    test::BurnCpu(i % 21 * 100'000);
    const uint64_t phase = FindTickPhaseNs();
    if (phase == kUnknownPhase) continue;
    EXPECT_LT(phase, tick_ns);
    phases.push_back(phase);
  }
  ASSERT_GE(phases.size(), 10u);
  // Around one of them: it may lie where the period ends.
  const auto agree_with = [&](uint64_t first) {
    return std::count_if(phases.begin(), phases.end(), [&](uint64_t phase) {
      const uint64_t apart = (phase + tick_ns - first) % tick_ns;
      return std::min(apart, tick_ns - apart) < tick_ns / 16;
    });
  };
  int64_t most = 0;
  for (const uint64_t phase : phases) most = std::max<int64_t>(most, agree_with(phase));
  std::printf("a tick of %.3f ms at %.3f ms: %zu of %zu agree\n",
              static_cast<double>(tick_ns) / 1e6, static_cast<double>(phases[0]) / 1e6,
              static_cast<size_t>(most), phases.size());
  EXPECT_GE(4 * most, 3 * static_cast<int64_t>(phases.size()));
}

}  // namespace
}  // namespace spprof
