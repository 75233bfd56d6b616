#include "profile/live_decoder.h"

#include <gtest/gtest.h>

#include "log_fixture.h"

namespace spprof {
namespace {

using namespace fixture;  // NOLINT: the tests are written in its words

constexpr uint64_t kMs = 1'000'000;

// Reads all of a log that is there.
void AddAll(const LogWriter& log, LiveDecoder* decoder) {
  const TemporaryFile file(log.bytes());
  LogReader reader;
  ASSERT_TRUE(LogReader::Open(file.path(), &reader).ok());
  LogChunk chunk;
  while (reader.Next(&chunk)) decoder->Add(chunk);
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
