#include "profile/sample_weights.h"

#include <algorithm>

#include "profile/thread_stacks.h"

namespace spprof {

namespace {

// To each side: a second of CPU time with a tick of 4 ms, which is long beside what timers do in
// step with the tick.
constexpr size_t kNeighbours = 128;

// Whether a thread that has used `cpu_ns` in `passed_ns` has been on the CPU all the time. The two
// clocks are read one after the other, and the timer counts in steps of 10 us.
bool IsUnbroken(uint64_t cpu_ns, uint64_t passed_ns) {
  constexpr uint64_t kClocksNs = 50'000;
  return cpu_ns + kClocksNs + passed_ns / 64 >= passed_ns;
}

}  // namespace

std::vector<uint64_t> WeighSamples(const RecordedThread& thread, const std::vector<uint32_t>& order,
                                   TimerEngine engine, uint64_t previous_ns) {
  const std::vector<SampleRecord>& samples = thread.samples;
  std::vector<uint64_t> weights(samples.size());
  for (size_t i = 0; i < samples.size(); i++) weights[i] = samples[i].cpu_ns;
  if (engine != TimerEngine::kTick && engine != TimerEngine::kItimer) return weights;

  std::vector<uint32_t> sharing;
  for (const uint32_t i : order) {
    const SampleRecord& sample = samples[i];
    if (IsOffCpu(sample)) continue;
    const bool is_unbroken =
        previous_ns != 0 && IsUnbroken(sample.cpu_ns, sample.time_ns - previous_ns);
    previous_ns = sample.time_ns;
    if (!is_unbroken && i >= thread.weighed_samples) sharing.push_back(i);
  }
  // What each sample gets from its neighbours is what the last one gets, and what has begun to come
  // in since, less what has ended: differences, modulo 2^64.
  std::vector<uint64_t> changes(sharing.size() + 1);
  for (size_t at = 0; at < sharing.size(); at++) {
    const size_t first = at - std::min(at, kNeighbours);
    const size_t end = std::min(at + kNeighbours + 1, sharing.size());
    const uint64_t cpu_ns = samples[sharing[at]].cpu_ns;
    const uint64_t share = cpu_ns / (end - first);
    changes[first] += share;
    changes[end] -= share;
    weights[sharing[at]] = cpu_ns - share * (end - first);  // what cannot be divided
  }
  uint64_t sum = 0;
  for (size_t at = 0; at < sharing.size(); at++) weights[sharing[at]] += sum += changes[at];
  return weights;
}

}  // namespace spprof
