// From a log to a Recording: definitions are put together with the samples that use them, native
// addresses get names, equal frames and stacks one number each.
//
//   RecordingBuilder builder;
//   while (reader.Next(&chunk)) builder.Add(chunk);   // and chunks from elsewhere, e.g. a dead
//   process's rings Status status = builder.Build(&recording);
//
// Context: any thread, one at a time; reads modules and scripts from disk in Build (tens of
// milliseconds for node). No exception leaves ReadLog.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "log/log_reader.h"
#include "profile/recorded_log.h"
#include "profile/recording.h"
#include "profile/sample_folding.h"

namespace spprof {

class RecordingBuilder {
 public:
  // A recording of more than `max_memory` bytes, its copy in JavaScript included, is folded.
  explicit RecordingBuilder(uint64_t max_memory = kUnbounded)
      : folding_(FoldingLimits::ForMemory(max_memory)) {}

  void Add(const LogChunk& chunk) {
    log_.Add(chunk);
    folding_.Fold(&log_);
  }
  // Something the user should know, for stats.warnings.
  void AddWarning(std::string text) { warnings_.push_back(std::move(text)); }
  // Length of the log, for stats.bytes where the counters are missing.
  void set_log_bytes(uint64_t bytes) { log_bytes_ = bytes; }

  // ERR_SPPROF_BAD_RECORDING when the session record is missing. `*out` is replaced.
  Status Build(Recording* out) const;

  static constexpr uint64_t kUnbounded = UINT64_MAX;

 private:
  RecordedLog log_;
  SampleFolding folding_;
  std::vector<std::string> warnings_;
  uint64_t log_bytes_ = 0;
};

// Decodes the log at `path`. A log that breaks off gives what was good of it, with
// is_stopped_cleanly false and a warning that tells where it broke off; so does what is damaged.
// Errors: as LogReader::Open, and ERR_SPPROF_BAD_RECORDING when nothing of it is usable.
Status ReadLog(const std::string& path, Recording* out,
               uint64_t max_memory = RecordingBuilder::kUnbounded, const LogRange& range = {});
// The same of a file that is open already: LogWriter::file().
Status ReadLog(std::shared_ptr<const Descriptor> log, Recording* out,
               uint64_t max_memory = RecordingBuilder::kUnbounded);

}  // namespace spprof
