// What happens in a running recording, told as it happens: batches of samples, counters, the end. A
// thread of its own reads the log that the drain writes and decodes it, so that neither the drain
// nor the JavaScript thread waits for it, and a listener that is slow holds up nobody.
//
// Thread safety: all functions. What is told is told on the stream's thread, one at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/status.h"
#include "log/log_writer.h"
#include "profile/live_decoder.h"
#include "session/end_notice.h"
#include "session/profiler.h"

namespace spprof {

class LiveStream {
 public:
  // Each returns false when nobody listens any more: the stream ends.
  struct Listener {
    std::function<bool(LiveBatch&&)> on_batch;  // may be empty: then nothing is decoded
    std::function<bool(const ProfilerStats&)> on_stats;
    std::function<void()> on_end;  // after all else; also when the stream is stopped
  };

  // Of the recording that runs. ERR_SPPROF_NOT_RUNNING.
  static Status Start(Listener listener, std::unique_ptr<LiveStream>* out);
  ~LiveStream() { Stop(); }
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // The last batch has been taken: the next one may come. Until then samples wait, where they are:
  // in the log.
  void Acknowledge();
  // Tells what is in the log by now, and then the end.
  void Finish();
  // Tells nothing more. Not from the stream's own thread.
  void Stop();

  // A batch is not much longer.
  static constexpr size_t kBatchSamples = 1 << 16;

 private:
  LiveStream(Listener listener, LiveRecording recording);
  void Run();
  bool ReadLog();
  bool IsBatchFull() const { return decoder_.waiting() >= kBatchSamples; }
  void Wait(std::chrono::milliseconds time, bool has_ended);
  bool TellBatch();
  bool TellStats();

  const Listener listener_;
  const LiveRecording recording_;
  LogReader reader_;
  LiveDecoder decoder_;
  uint64_t last_stats_ns_ = 0;
  std::atomic<bool> is_waiting_{false};  // for Acknowledge
  std::atomic<bool> is_finishing_{false};
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

}  // namespace spprof
