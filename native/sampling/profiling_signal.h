// The signal that samples are taken in: its handler, installed and put back; who else has it; and
// sending one.
//
// Context: control side, under the sampler's lock.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/status.h"
#include "platform/region_map.h"
#include "signal_safe/handler/handler.h"

namespace spprof {

class ProfilingSignal {
 public:
  explicit ProfilingSignal(HandlerContext* context) : context_(context) {}

  // Remembers in the context who had it.
  Status Install();
  // Whether that was somebody with a handler.
  bool HadHandler() const;
  // Only if nobody has put a handler of his own over ours; his stays, and ours behind it lets
  // everything pass.
  void Restore() const;

  // What is pending of it is lost, on all threads; of ours, the watch over lost ticks makes up for
  // that (timer_watch.h).
  void Discard() const;

  // Mends what others have done to the disposition. False: another handler keeps our signals.
  bool Check(const RegionMap& region);

  // One like a timer's.
  void Send(pid_t tid, const TimerValue& value) const;
  // What the delivery of one takes on this thread, nanoseconds; 0: it is blocked here.
  uint64_t MeasureDelivery() const;

 private:
  bool SetHandler() const;
  bool IsInstalled() const;
  void Ignore() const;

  HandlerContext* context_;
  uint64_t cpu_when_replaced_ns_ = 0;
  uint64_t signals_when_replaced_ = 0;
};

}  // namespace spprof
