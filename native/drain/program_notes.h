// What the program itself adds to the log: moments that it names. They wait here until the drain
// writes them.
//
// Context: Mark from any thread; WriteTo by who owns the log.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "log/log_writer.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

class ProgramNotes {
 public:
  explicit ProgramNotes(Waker* waker) : waker_(waker) {}

  // A moment of the calling thread, with a detail in JSON or none.
  void Mark(const std::string& name, const std::string& detail);
  // What comes faster than it can be written is counted, and not kept.
  void WriteTo(LogWriter* log);

 private:
  struct PendingMark {
    MarkRecord record;
    std::string name, detail;
  };

  // Whether there is room for `bytes` more.
  bool Take(size_t bytes, uint64_t* lost);

  Waker* waker_;
  std::mutex mutex_;
  std::vector<PendingMark> marks_;
  size_t bytes_ = 0;
  uint64_t lost_marks_ = 0;
};

}  // namespace spprof
