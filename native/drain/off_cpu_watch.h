// Wall mode: where threads are while they use no CPU time, without waking them
// (docs/design/time-and-weights.md). The stack of a thread whose CPU clock stands still is walked
// once, from outside (sampling/sleep_walker.h); until the clock moves, that stack is repeated, in
// the log alone.
//
//              time off the CPU: its stack is walked
//   unknown ───────────────────────────────────────────▶ asleep
//      ▲                                                    │  time off the CPU: OffCpuRecord
//      └────────────────────────────────────────────────────┘
//                     its CPU clock has moved
//
// A thread that is found awake may have waited for a CPU all the time. How long, the kernel counts;
// that is told where the thread's last sample was taken, since it is a tick that takes the CPU
// away.
//
// What a thread does on the CPU is the engine's, as in CPU mode. Both together are the wall time.
//
// Context: drain thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "log/log_writer.h"
#include "sampling/sampler.h"

namespace spprof {

class OffCpuWatch {
 public:
  OffCpuWatch(Sampler* sampler, LogWriter* log) : sampler_(sampler), log_(log) {}

  // Looks at the clocks of some threads, all of them in turn.
  void Visit();
  // A sample of the CPU's has been drained.
  void OnSample(uint32_t slot, uint32_t generation, const SampleRecord& sample);
  // The slot's thread has gone.
  void Forget(uint32_t slot);
  // The recording ends: what is left of all threads, and what has come of the walks.
  void Finish();

 private:
  struct Place {
    uint32_t stack_id = 0;  // 0: not known
    uint32_t label = 0;
    uint32_t state = 0;
  };
  struct Thread {
    bool is_known = false;
    uint32_t generation = 0;
    uint64_t last_ns = 0;  // when its clock was looked at; without pauses
    uint64_t last_cpu_ns = 0;
    int64_t off_cpu_ns = 0;  // that no record tells yet
    bool is_asleep = false;
    Place asleep_at;
    uint64_t asleep_cpu_ns = 0;            // its CPU clock meanwhile
    Place sampled_at;                      // when it was last seen on the CPU
    std::optional<uint64_t> run_delay_ns;  // when it was last asked for
    uint64_t not_before_ns = 0;            // its stack is not walked
    uint64_t patience_ns = 0;              // until then
  };

  void Look(const ThreadClock& clock, uint64_t now_ns);
  // The stacks of those that Look has found to be worth it, as far as time permits.
  void FindPlaces();
  void FindPlace(uint32_t slot, Thread* thread);
  // No walk for a while.
  static void BePatient(Thread* thread);
  void TellWaitForCpu(uint32_t slot, Thread* thread);
  // `wall_ns` of its time off the CPU, if there is any.
  void Tell(uint32_t slot, Thread* thread, const Place& place, int64_t wall_ns);
  // Time in which the recording was not paused.
  uint64_t CountedNow() const;

  Sampler* sampler_;
  LogWriter* log_;
  std::vector<Thread> threads_;   // by slot
  std::vector<uint32_t> wanted_;  // slots whose place is asked for
  // What has come of the walks.
  uint64_t walked_ = 0;
  uint64_t incomplete_ = 0;
  uint64_t woken_ = 0;
  uint64_t unreadable_ = 0;
};

}  // namespace spprof
