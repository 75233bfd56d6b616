#include "profile/sample_weights.h"

#include <algorithm>

#include "profile/thread_stacks.h"

namespace spprof {

namespace {

// To each side: two seconds of CPU time with a tick of 4 ms, which is long beside what timers do in
// step with the tick.
constexpr size_t kNeighbours = 256;

// Whether a thread that has used `cpu_ns` in `passed_ns` has been on the CPU all the time. The two
// clocks are read one after the other, and the timer counts in steps of 10 us.
bool IsUnbroken(uint64_t cpu_ns, uint64_t passed_ns) {
  constexpr uint64_t kClocksNs = 50'000;
  return cpu_ns + kClocksNs + passed_ns / 64 >= passed_ns;
}

// Samples that share their CPU time, in order of time.
class Sharing {
 public:
  // `beyond_ns`: of its CPU time, what its signal may have waited beyond a tick.
  void Add(uint32_t sample, uint64_t cpu_ns, uint64_t beyond_ns, uint64_t passed_ns) {
    parts_.push_back({sample, cpu_ns, beyond_ns, passed_ns, 0});
  }

  // Adds what each stands for to `weights`, and is empty again.
  void Close(uint64_t tick_ns, std::vector<uint64_t>* weights) {
    Spread(tick_ns);
    Limit();
    for (const Part& part : parts_) (*weights)[part.sample] += part.weight;
    parts_.clear();
  }

 private:
  struct Part {
    uint32_t sample;
    uint64_t cpu_ns;
    uint64_t beyond_ns;
    uint64_t passed_ns;  // since the thread's sample before
    uint64_t weight;
  };

  void Spread(uint64_t tick_ns) {
    // Of all parts before each: doubles, as a log may say anything.
    std::vector<double> used(parts_.size() + 1), beyond(parts_.size() + 1);
    for (size_t at = 0; at < parts_.size(); at++) {
      used[at + 1] = used[at] + static_cast<double>(parts_[at].cpu_ns);
      beyond[at + 1] = beyond[at] + static_cast<double>(parts_[at].beyond_ns);
    }
    // What each part gets from its neighbours is what the last one gets, and what has begun to come
    // in since, less what has ended: differences, modulo 2^64.
    std::vector<uint64_t> changes(parts_.size() + 1);
    for (size_t at = 0; at < parts_.size(); at++) {
      Part& part = parts_[at];
      const size_t first = at - std::min(at, kNeighbours);
      const size_t end = std::min(at + kNeighbours + 1, parts_.size());
      const double waited =
          used[end] - used[first] - static_cast<double>(tick_ns) * static_cast<double>(end - first);
      const double kept_share =
          waited <= 0 ? 0 : std::min(waited / std::max(beyond[end] - beyond[first], 1.0), 1.0);
      // By halves: a double that is 2^64 fits no integer.
      const auto half =
          static_cast<uint64_t>(static_cast<double>(part.beyond_ns >> 1) * kept_share);
      const uint64_t kept = std::min(half * 2, part.beyond_ns);
      const uint64_t share = (part.cpu_ns - kept) / (end - first);
      changes[first] += share;
      changes[end] -= share;
      part.weight = part.cpu_ns - share * (end - first);  // with what cannot be divided
    }
    uint64_t sum = 0;
    for (size_t at = 0; at < parts_.size(); at++) parts_[at].weight += sum += changes[at];
  }

  // What is too much for one goes to the next that has room, and then to those before. By an eighth
  // more than the time is no matter; a sharper limit would take from those that come a tick after
  // another, which are early in their bursts.
  void Limit() {
    uint64_t left = 0;
    const auto limit = [&left](Part& part) {
      const uint64_t most = part.passed_ns + std::min(part.passed_ns / 8, ~part.passed_ns);
      const uint64_t taken = std::min(left, most - std::min(most, part.weight));
      part.weight += taken;
      left -= taken;
      if (part.weight <= most) return;
      left += part.weight - most;
      part.weight = most;
    };
    std::for_each(parts_.begin(), parts_.end(), limit);
    std::for_each(parts_.rbegin(), parts_.rend(), limit);
    if (left != 0) parts_.front().weight += left;  // of a log that contradicts itself
  }

  std::vector<Part> parts_;
};

// What a signal may have waited beyond a tick. One that comes with a tick has not waited; if that
// cannot be told, all may be.
uint64_t BeyondTick(const Weighing& weighing, uint64_t cpu_ns, uint64_t since_tick_ns) {
  if (weighing.tick_ns == 0) return 0;
  if (weighing.phase_ns == kUnknownPhase) return cpu_ns - std::min(cpu_ns, weighing.tick_ns);
  return since_tick_ns == 0 ? 0 : cpu_ns / weighing.tick_ns * weighing.tick_ns;
}

}  // namespace

Weighing Weighing::Of(const RecordedLog& log) {
  if (!log.session().has_value()) return {};
  const auto engine = static_cast<TimerEngine>(log.session()->timer);
  if (engine != TimerEngine::kTick && engine != TimerEngine::kItimer) return {};
  const auto find = [&log](const char* name, uint64_t otherwise) {
    const auto stat = log.counters().find(name);
    return stat == log.counters().end() ? otherwise : stat->second;
  };
  Weighing weighing{true};
  weighing.kernel_tick_ns = find(kKernelTickStat, 0);
  if (weighing.kernel_tick_ns == 0) return weighing;
  weighing.tick_ns = std::max(weighing.kernel_tick_ns, log.session()->interval_ns);
  weighing.phase_ns = find(kTickPhaseStat, kUnknownPhase);
  return weighing;
}

std::vector<uint64_t> WeighSamples(const RecordedThread& thread, const std::vector<uint32_t>& order,
                                   const Weighing& weighing, uint64_t previous_ns) {
  const std::vector<SampleRecord>& samples = thread.samples;
  std::vector<uint64_t> weights(samples.size());
  Sharing sharing;
  // What the last sample's thread had used since the tick: the next tick stands for it.
  uint64_t rest_ns = 0;
  uint32_t last = 0;
  const auto close = [&] {
    sharing.Close(weighing.tick_ns, &weights);
    if (rest_ns != 0) weights[last] += rest_ns;
    rest_ns = 0;
  };
  for (const uint32_t i : order) {
    const SampleRecord& sample = samples[i];
    weights[i] = sample.cpu_ns;
    if (!weighing.is_shared || IsOffCpu(sample)) continue;
    // Of the first one there is nothing before to go by.
    const uint64_t passed_ns = previous_ns == 0 ? UINT64_MAX : sample.time_ns - previous_ns;
    previous_ns = sample.time_ns;
    if ((sample.state & kStateRearmed) != 0) close();
    if (i < thread.weighed_samples) continue;
    const uint64_t since_ns = std::min(
        SinceTick(sample.time_ns, weighing.kernel_tick_ns, weighing.phase_ns), sample.cpu_ns);
    const uint64_t cpu_ns = sample.cpu_ns - since_ns + rest_ns;
    if (IsUnbroken(sample.cpu_ns, passed_ns)) {
      weights[i] = cpu_ns;
    } else {
      weights[i] = 0;
      sharing.Add(i, cpu_ns, BeyondTick(weighing, sample.cpu_ns - since_ns, since_ns),
                  passed_ns == UINT64_MAX ? passed_ns : passed_ns - since_ns + rest_ns);
    }
    rest_ns = since_ns;
    last = i;
  }
  close();
  return weights;
}

}  // namespace spprof
