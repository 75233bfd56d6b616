#include "session/live_stream.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "platform/signals_held_back.h"
#include "platform/threads.h"

namespace spprof {

namespace {

using std::chrono::milliseconds;

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr int64_t kShortestWaitMs = 50;
constexpr int64_t kLongestWaitMs = 500;
constexpr uint64_t kStatsNs = 1'000'000'000;
// Decoding may take one part in so many of the stream's time: a batch that has many new functions,
// whose symbols have to be looked up, is followed by a longer wait.
constexpr int64_t kShareOfTime = 20;

}  // namespace

LiveStream::LiveStream(Listener listener, LiveRecording recording)
    : listener_(std::move(listener)), recording_(std::move(recording)) {}

Status LiveStream::Start(Listener listener, std::unique_ptr<LiveStream>* out) {
  LiveRecording recording;
  Status status = Profiler::Get().Live(&recording);
  if (!status.ok()) return status;
  std::unique_ptr<LiveStream> stream(new LiveStream(std::move(listener), std::move(recording)));
  if (stream->listener_.on_batch != nullptr) {
    status = LogReader::OpenShared(stream->recording_.log->file(), "the log", &stream->reader_);
    if (!status.ok()) return status;
  }
  const SignalsHeldBack held_back;
  try {
    stream->thread_ = std::thread([raw = stream.get()] { raw->Run(); });
    *out = std::move(stream);
  } catch (const std::system_error& error) {
    status = Status::System("pthread_create", error.code().value(), "starting the stream's thread");
  }
  return status;
}

void LiveStream::Acknowledge() {
  is_waiting_.store(false, std::memory_order_release);
  recording_.end->Wake();
}

void LiveStream::Finish() {
  is_finishing_.store(true, std::memory_order_release);
  recording_.end->Wake();
}

void LiveStream::Stop() {
  is_stopped_.store(true, std::memory_order_release);
  recording_.end->Wake();
  if (thread_.joinable()) thread_.join();
}

void LiveStream::Run() {
  pthread_setname_np(pthread_self(), "spprof-stream");
  Profiler::Get().Exclude(CurrentThreadId());
  int64_t wait_ms = kShortestWaitMs;
  bool is_heard = true;
  while (is_heard && !is_stopped_.load(std::memory_order_acquire)) {
    // Before the log is read for the last time.
    const bool is_finishing = is_finishing_.load(std::memory_order_acquire);
    const bool has_ended = is_finishing || recording_.end->IsGiven();
    const uint64_t begin_ns = MonotonicNow();
    const bool has_read = ReadLog();
    is_heard = TellBatch() && TellStats();
    if (has_ended && (is_finishing || !has_read) && decoder_.waiting() == 0) break;
    const auto took_ms = static_cast<int64_t>((MonotonicNow() - begin_ns) / kNsPerMs);
    const bool is_behind = IsBatchFull() || has_ended;
    const int64_t wanted_ms = is_behind ? 0 : has_read ? took_ms * kShareOfTime : wait_ms * 2;
    wait_ms = std::clamp(wanted_ms, kShortestWaitMs, kLongestWaitMs);
    Wait(milliseconds(wait_ms), has_ended);
  }
  if (listener_.on_end != nullptr) listener_.on_end();
}

// For the end, unless that has come already, or for what Acknowledge and Stop change.
void LiveStream::Wait(milliseconds time, bool has_ended) {
  if (IsBatchFull() || has_ended) {
    recording_.end->WaitUntil(time, [this] { return is_stopped_ || !is_waiting_; });
  } else {
    recording_.end->WaitForEnd(time, [this] { return is_stopped_ || is_finishing_; });
  }
}

// Whether there was something.
bool LiveStream::ReadLog() {
  if (listener_.on_batch == nullptr) return false;
  bool has_read = false;
  LogChunk chunk;
  reader_.LookAgain();
  while (!is_stopped_.load(std::memory_order_relaxed) && !IsBatchFull() && reader_.Next(&chunk)) {
    decoder_.Add(chunk);
    has_read = true;
  }
  decoder_.ForgetEnded();
  return has_read;
}

bool LiveStream::TellBatch() {
  if (is_waiting_.load(std::memory_order_acquire) || decoder_.waiting() == 0) return true;
  is_waiting_.store(true, std::memory_order_release);
  return listener_.on_batch(decoder_.Take());
}

bool LiveStream::TellStats() {
  const uint64_t now_ns = MonotonicNow();
  if (listener_.on_stats == nullptr || now_ns - last_stats_ns_ < kStatsNs) return true;
  last_stats_ns_ = now_ns;
  ProfilerStats stats;
  return !Profiler::Get().TryStats(&stats).ok() || listener_.on_stats(stats);
}

}  // namespace spprof
