#include "profile/live_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>

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

ThreadTotalsRecord TotalsOf(uint32_t slot, uint32_t generation) {
  ThreadTotalsRecord totals{};
  totals.slot = slot;
  totals.generation = generation;
  return totals;
}

// A thread that has come, had samples, and gone; or, without its end, given its slot to the next.
void AddLife(LogWriter* log, uint32_t slot, uint32_t generation, bool says_its_end) {
  log->Control(Thread(slot, generation, 5000 + generation, "worker"));
  log->Detail(slot, generation,
              Script(1, "file:///w.js") + Function(1, "work", {.script_id = 1}) +
                  Stack(1, {MakeJsFrame(Tier::kTurbofan, 1, 0)}));
  log->Index(slot, generation, Sample(generation * kMs, kMs, 1));
  if (says_its_end) log->Control(Record(RecordType::kThreadTotals, TotalsOf(slot, generation)));
}

// Lives of two slots, batch by batch. Gives the most that was held at a time.
size_t MostHeld(bool says_its_end, std::vector<uint32_t>* told, std::vector<uint32_t>* ended) {
  LiveDecoder decoder;
  LogWriter log;
  log.Control(Session(4242, 0));
  size_t done = 0, most = 0;
  for (uint32_t generation = 1; generation <= 200; generation++) {
    AddLife(&log, generation % 2, generation, says_its_end);
    done = AddAll(log, &decoder, done);
    if (generation % 10 == 0) {
      const LiveBatch batch = decoder.Take();
      EXPECT_EQ(batch.times_ms.size(), 10u);
      for (const RecordingThread& thread : batch.threads) told->push_back(thread.id);
      ended->insert(ended->end(), batch.ended_threads.begin(), batch.ended_threads.end());
      most = std::max(most, decoder.threads_held());
    }
  }
  return most;
}

TEST(LiveDecoder, HoldsNothingOfThreadsThatHaveGone) {
  std::vector<uint32_t> told, ended;
  EXPECT_EQ(MostHeld(true, &told, &ended), 0u);
  ASSERT_EQ(told.size(), 200u);
  for (uint32_t i = 0; i < 200; i++) EXPECT_EQ(told[i], i) << "no id is given twice";
  std::sort(ended.begin(), ended.end());
  EXPECT_EQ(ended, told);
}

TEST(LiveDecoder, HoldsOneLifeOfASlotWhereNoEndIsSaid) {
  std::vector<uint32_t> told, ended;
  EXPECT_EQ(MostHeld(false, &told, &ended), 2u);
  EXPECT_EQ(told.size(), 200u);
  EXPECT_EQ(ended.size(), 198u);
}

TEST(LiveDecoder, ForgetsAThreadWithoutSamplesAndNamesItNowhere) {
  LogWriter log;
  log.Control(Session(4242, 0) + Thread(0, 1, 5001, "short"));
  log.Control(Record(RecordType::kThreadTotals, TotalsOf(0, 1)));
  LiveDecoder decoder;
  AddAll(log, &decoder);
  EXPECT_EQ(decoder.threads_held(), 1u);
  decoder.ForgetEnded();
  EXPECT_EQ(decoder.threads_held(), 0u);
  EXPECT_TRUE(decoder.Take().ended_threads.empty());
}

// Another thread's data may come to lie where those of one lay that has gone.
TEST(LiveDecoder, TakesNoFramesOfAThreadThatHasGoneForThoseOfTheNext) {
  LogWriter log;
  log.Control(Session(4242, 0));
  LiveDecoder decoder;
  size_t done = 0;
  for (uint32_t generation = 1; generation <= 20; generation++) {
    const std::string name = "f" + std::to_string(generation);
    log.Detail(0, generation, Function(1, name) + Stack(1, {MakeJsFrame(Tier::kTurbofan, 1, 0)}));
    log.Index(0, generation, Sample(generation * kMs, kMs, 1));
    log.Control(Record(RecordType::kThreadTotals, TotalsOf(0, generation)));
    done = AddAll(log, &decoder, done);
    const LiveBatch batch = decoder.Take();
    ASSERT_EQ(batch.frames.size(), 1u);
    EXPECT_EQ(batch.frames[0].function_name, name);
  }
}

}  // namespace
}  // namespace spprof
