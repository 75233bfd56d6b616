// What the program itself adds to the log: moments that it names, and the source maps of code that
// it makes in memory. They wait here until the drain writes them.
//
// Context: Mark and SourceMap from any thread; WriteTo by who owns the log.
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
  // The source map, JSON, of the code of `source_length` UTF-16 units that is compiled under the
  // name `script`.
  void SourceMap(const std::string& script, uint32_t source_length, const std::string& map);
  // What comes faster than it can be written is counted, and not kept.
  void WriteTo(LogWriter* log);

 private:
  struct PendingMark {
    MarkRecord record;
    std::string name, detail;
  };
  struct PendingMap {
    SourceMapRecord record;
    std::string script, map;
  };

  // Whether there is room for `bytes` more.
  bool Take(size_t bytes, uint64_t* lost);

  Waker* waker_;
  std::mutex mutex_;
  std::vector<PendingMark> marks_;
  std::vector<PendingMap> maps_;
  size_t bytes_ = 0;
  uint64_t lost_marks_ = 0;
  uint64_t lost_maps_ = 0;
};

}  // namespace spprof
