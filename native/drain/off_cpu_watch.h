// Wall mode: where threads are while they use no CPU time, without waking them again and again
// (DESIGN D6). A thread whose CPU clock stands still gets one signal, whose sample tells the stack
// that it sleeps on; until the clock moves again that stack is repeated, in the log alone.
//
//              time off the CPU: Sampler::Probe        its sample is drained
//   unknown ───────────────────────────────▶ asked ───────────────────────▶ asleep
//      ▲                                                                      │  time off the CPU:
//      └──────────────────────────────────────────────────────────────────────┘  OffCpuRecord
//                                 its CPU clock has moved
//
// What a thread does on the CPU is the engine's, as in CPU mode. Both together are the wall time.
//
// Context: drain thread.
#pragma once

#include <cstdint>
#include <vector>

#include "drain/log_writer.h"
#include "sampling/sampler.h"

namespace spprof {

class OffCpuWatch {
 public:
  OffCpuWatch(Sampler* sampler, LogWriter* log) : sampler_(sampler), log_(log) {}

  // Looks at the clocks of some threads, all of them in turn.
  void Visit();
  // A probe's sample has been drained.
  void OnProbe(uint32_t slot, uint32_t generation, const SampleRecord& sample);
  // The slot's thread has gone.
  void Forget(uint32_t slot);
  // The recording ends: what is left of all threads.
  void Finish();

 private:
  struct Thread {
    bool is_known = false;
    uint32_t generation = 0;
    uint64_t last_ns = 0;  // when its clock was looked at; without pauses
    uint64_t last_cpu_ns = 0;
    int64_t off_cpu_ns = 0;  // that no record tells yet
    bool is_asleep = false;
    bool is_asked = false;
    uint32_t stack_id = 0;
    uint32_t label = 0;
    uint64_t stack_cpu_ns = 0;  // its CPU clock when the stack was taken
    uint64_t asked_ns = 0;
    uint64_t patience_ns = 0;  // with the answer
  };

  void Look(const ThreadClock& clock, uint64_t now_ns);
  void Ask(uint32_t slot, Thread* thread, uint64_t now_ns);
  // All but `kept_ns` of its time off the CPU.
  void Tell(uint32_t slot, Thread* thread, int64_t kept_ns);
  // Time in which the recording was not paused.
  uint64_t CountedNow() const;

  Sampler* sampler_;
  LogWriter* log_;
  std::vector<Thread> threads_;  // by slot
};

}  // namespace spprof
