#include "profile/live_decoder.h"

#include <gtest/gtest.h>

#include "log_fixture.h"

namespace spprof {
namespace {

using namespace fixture;  // NOLINT: the tests are written in its words

constexpr uint64_t kMs = 1'000'000;

// Reads all of a log that is there, but for its first chunks. Returns how many there are.
size_t AddAll(const LogWriter& log, LiveDecoder* decoder, size_t leave_out = 0) {
  const TemporaryFile file(log.bytes());
  LogReader reader;
  EXPECT_TRUE(LogReader::Open(file.path(), &reader).ok());
  LogChunk chunk;
  size_t chunks = 0;
  while (reader.Next(&chunk)) {
    if (++chunks > leave_out) decoder->Add(chunk);
  }
  return chunks;
}

TEST(LiveDecoder, CountsSamplesThatWait) {
  LogWriter log;
  log.Control(Session(4242, 0));
  log.Detail(0, 1, Stack(1, {}));
  log.Index(0, 1, Sample(1 * kMs, kMs, 1) + Sample(2 * kMs, kMs, 1));
  LiveDecoder decoder;
  AddAll(log, &decoder);
  EXPECT_EQ(decoder.waiting(), 2u);
  EXPECT_EQ(decoder.Take().times_ms, (std::vector<double>{1, 2}));
  EXPECT_EQ(decoder.waiting(), 0u);
}

// At the kernel's tick: what has slept shares with its like of the batch, and each batch adds up.
TEST(LiveDecoder, SamplesOfABatchShareTheirCpuTime) {
  LogWriter log;
  log.Control(Session(4242, 0));
  log.Detail(0, 1, Stack(1, {}));
  log.Index(0, 1, Sample(10 * kMs, 1 * kMs, 1) + Sample(30 * kMs, 5 * kMs, 1));
  LiveDecoder decoder;
  const size_t chunks = AddAll(log, &decoder);
  EXPECT_EQ(decoder.Take().cpu_ns, (std::vector<double>{3e6, 3e6}));
  // The first of these has not slept since the last one of the batch before.
  log.Index(0, 1, Sample(34 * kMs, 4 * kMs, 1) + Sample(50 * kMs, 2 * kMs, 1));
  AddAll(log, &decoder, chunks);
  EXPECT_EQ(decoder.Take().cpu_ns, (std::vector<double>{4e6, 2e6}));
}

// In a process that sleeps nothing else comes.
TEST(LiveDecoder, SleepOfAThreadWaitsToBeToldToo) {
  OffCpuRecord sleep{};
  sleep.slot = 0;
  sleep.generation = 1;
  sleep.time_ns = 500 * kMs;
  sleep.wall_ns = 500 * kMs;
  sleep.stack_id = 1;
  LogWriter log;
  log.Control(Session(4242, 0));
  log.Detail(0, 1, Stack(1, {}));
  log.Control(Record(RecordType::kOffCpu, sleep));
  LiveDecoder decoder;
  AddAll(log, &decoder);
  EXPECT_EQ(decoder.waiting(), 1u);
  const LiveBatch batch = decoder.Take();
  EXPECT_EQ(batch.wall_ns, std::vector<double>{500e6});
  EXPECT_EQ(batch.cpu_ns, std::vector<double>{0});
}

}  // namespace
}  // namespace spprof
