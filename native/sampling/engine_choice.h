// The engine that the option `timer` leaves to us.
//
// Context: control thread.
#pragma once

#include <cstdint>
#include <string>

#include "region/records.h"

namespace spprof {

struct EngineChoice {
  TimerEngine engine = TimerEngine::kTick;
  std::string reason;  // why there will be fewer samples than asked for; empty: there will not
};

// The kernel's tick, if that is enough for the interval; perf, where that is permitted; itimer,
// where threads can have no timers. Never one that signals sleeping threads. `signal`: the one that
// is asked for, kAnySignal: none.
EngineChoice ChooseEngine(uint64_t interval_ns, int signal);

}  // namespace spprof
