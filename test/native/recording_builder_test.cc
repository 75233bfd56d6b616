#include "profile/recording_builder.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <random>

#include "log_fixture.h"
#include "platform/elf_file.h"
#include "profile/frame_resolver.h"

namespace spprof {
namespace {

using namespace fixture;  // NOLINT: the tests are written in its words

constexpr uint64_t kStart = 1'000'000;
constexpr uint32_t kPid = 4242;

Recording Read(const LogWriter& writer) {
  const TemporaryFile file(writer.bytes());
  Recording recording;
  const Status status = ReadLog(file.path(), &recording);
  EXPECT_TRUE(status.ok()) << status.message();
  return recording;
}

Frame Js(uint32_t function, Tier tier = Tier::kTurbofan, uint32_t position = 0) {
  return MakeJsFrame(tier, function, position);
}

// Names of a stack, root first, joined by ';'.
std::string StackOf(const Recording& recording, uint32_t node) {
  std::string result;
  for (; node != 0; node = recording.stack_parents[node]) {
    const std::string& name = recording.frames[recording.stack_frames[node]].function_name;
    result = result.empty() ? name : name + ";" + result;
  }
  return result;
}

std::vector<std::string> StacksOf(const Recording& recording) {
  std::vector<std::string> result;
  for (const uint32_t node : recording.sample_stacks) result.push_back(StackOf(recording, node));
  return result;
}

using Strings = std::vector<std::string>;

TEST(RecordingBuilder, TellsTheSession) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart, "v22.11.0", "/opt/node") + End(kStart + 5'000));
  const Recording recording = Read(writer);
  EXPECT_EQ(recording.pid, kPid);
  EXPECT_EQ(recording.start_time_ms, 1.7e12);
  EXPECT_EQ(recording.duration_ns, 5'000u);
  EXPECT_EQ(recording.interval_ns, 1'000'000u);
  EXPECT_EQ(recording.mode, "cpu");
  EXPECT_EQ(recording.timer, "tick");
  EXPECT_EQ(recording.node_version, "v22.11.0");
  EXPECT_EQ(recording.exec_path, "/opt/node");
  EXPECT_TRUE(recording.is_stopped_cleanly);
  EXPECT_EQ(recording.stack_parents, (std::vector<uint32_t>{0}));
}

TEST(RecordingBuilder, BuildsATreeFromStacks) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1,
                Script(7, "/app/main.js") + Function(1, "main", {7, 0, 1, 1}) +
                    Function(2, "left", {7, 9, 2, 3}) + Function(3, "right", {7, 20, 3, 3}) +
                    Stack(1, {Js(2), Js(1)}) + Stack(2, {Js(3), Js(1)}) +
                    Stack(3, {Js(2, Tier::kTurbofan, 77), Js(1)}));
  writer.Index(0, 1,
               Sample(kStart + 10, 5, 1) + Sample(kStart + 20, 6, 2) + Sample(kStart + 30, 7, 3));
  const Recording recording = Read(writer);
  EXPECT_EQ(StacksOf(recording), (Strings{"main;left", "main;right", "main;left"}));
  EXPECT_EQ(recording.sample_stacks[0],
            recording.sample_stacks[2]);  // a place that is not known splits nothing
  EXPECT_EQ(recording.stack_parents.size(), 4u);
  for (size_t i = 1; i < recording.stack_parents.size(); ++i)
    EXPECT_LT(recording.stack_parents[i], i);
  EXPECT_EQ(recording.sample_times, (std::vector<double>{10, 20, 30}));
  EXPECT_EQ(recording.sample_cpu_ns, (std::vector<double>{5, 6, 7}));
  ASSERT_EQ(recording.frames.size(), 3u);
  const RecordingFrame& main = recording.frames[recording.stack_frames[1]];
  EXPECT_EQ(main.url, "/app/main.js");
  EXPECT_EQ(main.script_id, 7);
  EXPECT_EQ(main.line, 1);
  EXPECT_EQ(main.kind, FrameKind::kJs);
  EXPECT_EQ(main.tier, FrameTier::kTurbofan);
}

TEST(RecordingBuilder, TellsPlacesFromTheLinesOfTheFunction) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  // The function's ten characters from offset 100 on, at 7:5: "f{\na;b;\n}" as lines of 3, 5 and 2.
  const std::string f = Function(1, "f", {7, 100, 7, 5, std::string("\x03\x05\x02", 3)});
  const auto at = [](uint32_t offset) { return Js(1, Tier::kMaglev, offset + 1); };
  writer.Detail(0, 1,
                Script(7, "node:internal/x") + f + Stack(1, {at(101), at(103) | kInlinedFrame}) +
                    Stack(2, {at(109), at(110)}) + Stack(3, {at(99), at(111)}) +
                    Stack(4, {Js(1), Js(1)}));
  writer.Index(0, 1,
               Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2) + Sample(kStart + 2, 1, 3) +
                   Sample(kStart + 3, 1, 4));
  const Recording recording = Read(writer);
  std::vector<std::string> places;
  for (const uint32_t stack : recording.sample_stacks) {
    for (uint32_t node = stack; node != 0; node = recording.stack_parents[node]) {
      const RecordingFrame& frame = recording.frames[recording.stack_frames[node]];
      EXPECT_EQ(frame.line, 7);
      EXPECT_EQ(frame.column, 5);
      places.push_back(std::to_string(frame.sampled_line) + ":" +
                       std::to_string(frame.sampled_column) + (frame.is_inlined ? "!" : ""));
    }
  }
  EXPECT_EQ(places, (Strings{"7:6", "8:1!", "9:2", "0:0", "0:0", "0:0", "0:0", "0:0"}));
}

TEST(RecordingBuilder, KeepsTiersApartAndSharesFramesBetweenThreads) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  for (uint32_t slot = 0; slot < 2; ++slot) {
    // Each thread has its own numbers for the same function.
    writer.Detail(slot, 1,
                  Function(5 + slot, "f", {-1, 0, 1, 1}) +
                      Stack(1, {Js(5 + slot, Tier::kInterpreted)}) +
                      Stack(2, {Js(5 + slot, Tier::kMaglev)}));
    writer.Index(slot, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2));
  }
  const Recording recording = Read(writer);
  EXPECT_EQ(recording.frames.size(), 2u);
  EXPECT_EQ(recording.sample_stacks[0], recording.sample_stacks[2]);
  EXPECT_NE(recording.sample_stacks[0], recording.sample_stacks[1]);
  EXPECT_STREQ(NameOf(recording.frames[0].tier), "interpreted");
}

TEST(RecordingBuilder, KeepsAnonymousFunctionsOfUnknownLineApart) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1,
                Function(1, "", {-1, 100}) + Function(2, "", {-1, 200}) + Stack(1, {Js(1)}) +
                    Stack(2, {Js(2)}));
  writer.Index(0, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2));
  EXPECT_EQ(Read(writer).frames.size(), 2u);
}

TEST(RecordingBuilder, OrdersSamplesByThreadThenTime) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(1, 1, Stack(1, {}));
  writer.Detail(2, 1, Stack(1, {}));
  writer.Index(2, 1, Sample(kStart + 50, 1, 1));
  writer.Index(1, 1, Sample(kStart + 40, 1, 1) + Sample(kStart + 20, 1, 1));
  writer.Index(2, 1, Sample(kStart + 10, 1, 1));
  const Recording recording = Read(writer);
  EXPECT_EQ(recording.sample_threads, (std::vector<uint32_t>{0, 0, 1, 1}));
  EXPECT_EQ(recording.sample_times, (std::vector<double>{20, 40, 10, 50}));
  EXPECT_EQ(recording.sample_stacks, (std::vector<uint32_t>{0, 0, 0, 0}));
}

TEST(RecordingBuilder, KnowsWhatThreadsAre) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart) + Thread(0, 1, kPid, "node") + Thread(1, 1, 77, "node") +
                 Thread(2, 1, 78, "libuv-worker") + Thread(1, 1, 77, "worker: resize") +
                 Thread(0, 2, 79, "", 2));
  writer.Index(0, 1, Sample(kStart, 10, 1, kStateRunsJavaScript) + Sample(kStart, 5, 1));
  writer.Index(1, 1, Sample(kStart, 3, 1, kStateRunsJavaScript));
  const Recording recording = Read(writer);
  ASSERT_EQ(recording.threads.size(), 4u);
  EXPECT_EQ(recording.threads[0].kind, ThreadKind::kMain);
  EXPECT_EQ(recording.threads[0].cpu_ns, 15u);
  EXPECT_EQ(recording.threads[0].sample_count, 2u);
  EXPECT_EQ(recording.threads[1].kind, ThreadKind::kWorker);
  EXPECT_EQ(recording.threads[1].name, "worker: resize");
  EXPECT_EQ(recording.threads[1].tid, 77u);
  EXPECT_EQ(recording.threads[2].kind, ThreadKind::kNative);
  EXPECT_EQ(recording.threads[2].sample_count, 0u);
  EXPECT_EQ(recording.threads[3].kind, ThreadKind::kWorker);  // as its record says
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(recording.threads[i].id, i);
}

TEST(RecordingBuilder, DoesNotMixUpTheLivesOfASlot) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1, Function(1, "first") + Stack(1, {Js(1)}));
  writer.Index(0, 1, Sample(kStart, 1, 1));
  writer.Detail(0, 2, Function(1, "second") + Stack(1, {Js(1)}));
  writer.Index(0, 2, Sample(kStart, 1, 1));
  EXPECT_EQ(StacksOf(Read(writer)), (Strings{"first", "second"}));
}

TEST(RecordingBuilder, FindsDefinitionsThatComeAfterTheirSamples) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Index(0, 1, Sample(kStart, 1, 1));
  const std::string details = Stack(1, {Js(1)}) + Function(1, "late");
  writer.Detail(0, 1, details.substr(0, 8));  // a record over three chunks
  writer.Detail(0, 1, details.substr(8, 8));
  writer.Detail(0, 1, details.substr(16));
  EXPECT_EQ(StacksOf(Read(writer)), (Strings{"late"}));
}

TEST(RecordingBuilder, CountsSamplesWhoseStackIsLost) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1, Stack(1, {Js(9)}));
  writer.Index(0, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2) + Sample(kStart + 2, 1, 3));
  const Recording recording = Read(writer);
  EXPECT_EQ(StacksOf(recording), (Strings{"(lost)", "(lost)", "(lost)"}));
  EXPECT_EQ(recording.stats.stacks_lost, 2u);
  EXPECT_EQ(recording.stats.written, 3u);
  EXPECT_EQ(recording.stats.signals, 3u) << "they are not dropped, too";
  EXPECT_EQ(recording.frames[0].kind, FrameKind::kUnknownJs);
}

TEST(RecordingBuilder, ConvertsText) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  std::u16string lone = u"x";
  lone.push_back(0xd800);
  writer.Detail(0, 1,
                Function(1, "caf\xe9") + FunctionUtf16(2, u"\u03c0") + FunctionUtf16(3, lone) +
                    Stack(1, {Js(3), Js(2), Js(1)}));
  writer.Index(0, 1, Sample(kStart, 1, 1));
  EXPECT_EQ(StacksOf(Read(writer)), (Strings{"caf\xc3\xa9;\xcf\x80;x\xef\xbf\xbd"}));
}

TEST(RecordingBuilder, NamesNativeFramesOnceAFunction) {
  Dl_info info;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&fopen), &info), 0);
  const uint64_t base = 0x7f1200000000;
  const uint64_t address = base + (reinterpret_cast<uint64_t>(dlsym(RTLD_NEXT, "fopen")) -
                                   reinterpret_cast<uint64_t>(info.dli_fbase));
  LogWriter writer;
  writer.Control(Session(kPid, kStart) + Module(base, base + (64 << 20), 0, info.dli_fname));
  writer.Detail(0, 1,
                Stack(1, {MakeFrame(FrameType::kNative, address)}) +
                    Stack(2, {MakeFrame(FrameType::kNative, address + 1)}) +
                    Stack(3, {MakeFrame(FrameType::kNative, 0x10)}));
  writer.Index(0, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2) + Sample(kStart + 2, 1, 3));
  const Recording recording = Read(writer);
  ASSERT_EQ(recording.frames.size(), 2u);
  EXPECT_NE(recording.frames[0].function_name.find("fopen"), std::string::npos);
  EXPECT_EQ(recording.frames[0].module, info.dli_fname);
  EXPECT_EQ(recording.frames[0].kind, FrameKind::kNative);
  EXPECT_EQ(recording.sample_stacks[0], recording.sample_stacks[1]);
  EXPECT_EQ(recording.frames[1].function_name, "[unknown]");
}

TEST(RecordingBuilder, MarksSamples) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(
      0, 1, Function(1, "f") + Stack(1, {Js(1)}) + Stack(2, {MakeFrame(FrameType::kGc, 0), Js(1)}));
  writer.Index(0, 1,
               Sample(kStart, 1, 2, kStateInGc) + Sample(kStart + 1, 1, 1, kStateTruncated) +
                   Sample(kStart + 2, 1, 1, kStateIncomplete) +
                   Sample(kStart + 3, 1, 1, kVmStateUnknown));
  const Recording recording = Read(writer);
  EXPECT_EQ(recording.sample_states, (std::vector<uint8_t>{1, 2, 4, 0}));
  EXPECT_EQ(StacksOf(recording), (Strings{"f;(garbage collector)", "(truncated);f", "f", "f"}));
  EXPECT_EQ(recording.stats.truncated, 1u);
  EXPECT_EQ(recording.stats.incomplete, 1u);
}

TEST(RecordingBuilder, KnowsTheInterpretersBuiltinsByName) {
  EXPECT_TRUE(IsInterpreterBuiltinName("InterpreterEntryTrampoline"));
  EXPECT_TRUE(IsInterpreterBuiltinName("LdaNamedPropertyHandler"));
  EXPECT_TRUE(IsInterpreterBuiltinName("ShortStarHandler"));
  EXPECT_TRUE(IsInterpreterBuiltinName("StarWideHandler"));
  EXPECT_FALSE(IsInterpreterBuiltinName("Handler"));
  EXPECT_FALSE(IsInterpreterBuiltinName("HandleApiCall"));
  EXPECT_FALSE(IsInterpreterBuiltinName("AtomicsMutexAsyncUnlockResolveHandler"));
  EXPECT_FALSE(IsInterpreterBuiltinName("KeyedLoadIC_Megamorphic"));
}

// Address of a builtin of the `node` in PATH, by nm.
uint64_t BuiltinAddress(const std::string& node, const std::string& name) {
  FILE* pipe = popen(("nm " + node + " | grep ' Builtins_" + name + "$'").c_str(), "r");
  unsigned long address = 0;
  EXPECT_EQ(fscanf(pipe, "%lx", &address), 1) << name;
  pclose(pipe);
  return address;
}

TEST(RecordingBuilder, MergesTheInterpreterIntoItsFunction) {
  char found[4096] = "";
  FILE* pipe = popen("readlink -f $(command -v node)", "r");
  ASSERT_EQ(fscanf(pipe, "%4095s", found), 1);
  pclose(pipe);
  const std::string node = found;
  const ElfFile::Section text = *ElfFile::Open(node)->FindSection(".text");
  const auto builtin = [&](const char* name) {
    return MakeFrame(FrameType::kBuiltin, BuiltinAddress(node, name) + 2);
  };
  const Frame trampoline = builtin("InterpreterEntryTrampoline"),
              handler = builtin("JumpLoopHandler"), load = builtin("LoadIC");
  LogWriter writer;
  writer.Control(Session(kPid, kStart) +
                 Module(text.address, text.address + text.size, text.offset, node));
  const Frame interpreted = Js(1, Tier::kInterpreted), optimized = Js(2, Tier::kTurbofan);
  writer.Detail(0, 1,
                Function(1, "f") + Function(2, "g") + Stack(1, {handler, interpreted}) +
                    Stack(2, {load, handler, trampoline, interpreted, trampoline, interpreted}) +
                    Stack(3, {handler, optimized}) + Stack(4, {handler, load, interpreted}));
  std::string samples;
  for (uint32_t stack = 1; stack <= 4; ++stack) samples += Sample(kStart + stack, 1, stack);
  writer.Index(0, 1, samples);
  const Recording recording = Read(writer);
  EXPECT_EQ(StacksOf(recording),
            (Strings{"f", "f;f;LoadIC", "g;JumpLoopHandler", "f;LoadIC;JumpLoopHandler"}));
  for (const RecordingFrame& frame : recording.frames) {
    EXPECT_EQ(frame.kind == FrameKind::kJs, frame.module.empty());
    EXPECT_TRUE(frame.kind == FrameKind::kJs || frame.kind == FrameKind::kBuiltin);
  }
}

TEST(RecordingBuilder, TakesCountersFromTheLog) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart) + Stat("signals", 3));
  writer.Control(
      Stat("signals", 100) + Stat("written", 90) + Stat("drained", 89) + Stat("dropped.busy", 7) +
      Stat("dropped.index_full", 3) + Stat("overruns", 4) + Stat("threads_live", 2) +
      Stat("threads_seen", 5) + Stat("threads_refused", 1) + Stat("handler_ns_p50", 600) +
      Stat("handler_ns_p99", 900) + Stat("handler_ns_max", 1000) + Stat("handler_ns_mean", 650) +
      Stat("handler_ns_total", 65000) + Stat("cpu_ns", 130'000) + Stat("sampled_cpu_ns", 100'000) +
      Stat("drain_cpu_ns", 13'000) + Stat("paused_cpu_ns", 30'000) + Stat("bytes", 777) +
      Stat("drain_lag_ns", 11) + Stat("warning.no names", 1) + End(kStart));
  const RecordingStats stats = Read(writer).stats;
  EXPECT_EQ(stats.signals, 100u);
  EXPECT_EQ(stats.written, 90u);
  EXPECT_EQ(stats.drained, 89u);
  EXPECT_EQ(stats.dropped, (std::map<std::string, uint64_t>{{"busy", 7}, {"index_full", 3}}));
  EXPECT_EQ(stats.overruns, 4u);
  EXPECT_EQ(stats.threads_live, 2u);
  EXPECT_EQ(stats.threads_seen, 5u);
  EXPECT_EQ(stats.threads_refused, 1u);
  EXPECT_EQ(stats.handler_ns.p50, 600u);
  EXPECT_EQ(stats.handler_ns.p99, 900u);
  EXPECT_EQ(stats.handler_ns.max, 1000u);
  EXPECT_EQ(stats.handler_ns.mean, 650u);
  EXPECT_EQ(stats.handler_ns.total, 65000u);
  EXPECT_EQ(stats.cpu_ns, 130'000u);
  EXPECT_DOUBLE_EQ(stats.rate_achieved, 89 * 1e9 / 100'000);
  EXPECT_DOUBLE_EQ(stats.handler_percent, 65.0);
  EXPECT_DOUBLE_EQ(stats.drain_percent, 10.0);
  EXPECT_EQ(stats.bytes, 777u);
  EXPECT_EQ(stats.drain_lag_ns, 11u);
  EXPECT_EQ(stats.warnings, (Strings{"no names"}));
}

TEST(RecordingBuilder, CountsTheSamplesOfAKilledProcess) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart) + Stat("written", 20) + Stat("dropped.busy", 1));
  std::string samples;
  for (uint32_t i = 1; i <= 100; ++i)
    samples += Sample(kStart + i, 10, 1, kVmStateUnknown, i * 10, 1);
  writer.Detail(0, 1, Stack(1, {}));
  writer.Index(0, 1, samples);
  const Recording recording = Read(writer);
  EXPECT_FALSE(recording.is_stopped_cleanly);
  EXPECT_EQ(recording.duration_ns, 100u);
  const RecordingStats& stats = recording.stats;
  EXPECT_EQ(stats.written, 100u);
  EXPECT_EQ(stats.signals, 101u);
  EXPECT_EQ(stats.handler_ns.p50, 500u);
  EXPECT_EQ(stats.handler_ns.p99, 990u);
  EXPECT_EQ(stats.handler_ns.max, 1000u);
  EXPECT_EQ(stats.handler_ns.mean, 505u);
  EXPECT_EQ(stats.handler_ns.total, 50500u);
  EXPECT_EQ(stats.cpu_ns, 1000u);
  EXPECT_EQ(stats.overruns, 100u);
  EXPECT_EQ(stats.bytes, writer.bytes().size());
}

// In wall mode the drain asks threads that sleep for their stacks. Those samples stand for no CPU
// time: a program that mostly sleeps would have thousands of samples per second of it.
TEST(RecordingBuilder, TheRateIsOfTheSamplesThatStandForCpuTime) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1, Stack(1, {}));
  std::string samples;
  for (uint32_t i = 1; i <= 10; ++i) {
    samples += Sample(kStart + 2 * i, 4'000'000, 1);
    samples += Sample(kStart + 2 * i + 1, i * 4'000'000, 1, kVmStateUnknown | kStateProbe);
  }
  writer.Index(0, 1, samples);
  const RecordingStats stats = Read(writer).stats;
  EXPECT_EQ(stats.drained, 20u);
  EXPECT_EQ(stats.sampled_cpu_ns, 40'000'000u);
  EXPECT_DOUBLE_EQ(stats.rate_achieved, 250.0);
}

TEST(RecordingBuilder, FindsLinesInTheScriptsFile) {
  const TemporaryFile script("let a;\nfunction f() {}\n", ".js");
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1,
                Script(1, script.path(), 23) + Script(2, script.path(), 24) +
                    Function(1, "f", {1, 17}) + Function(2, "g", {2, 17}) + Stack(1, {Js(1)}) +
                    Stack(2, {Js(2)}));
  writer.Index(0, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2));
  const Recording recording = Read(writer);
  EXPECT_EQ(recording.frames[0].line, 2);
  EXPECT_EQ(recording.frames[0].column, 11);
  EXPECT_EQ(recording.frames[0].start_offset, 17);
  EXPECT_EQ(recording.frames[1].line, 0);  // another length: not the text that was run
}

TEST(RecordingBuilder, SaysWhereALogBreaksOff) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart));
  writer.Detail(0, 1, Stack(1, {}));
  const TemporaryFile file(writer.bytes().substr(0, writer.bytes().size() - 8));
  Recording recording;
  ASSERT_TRUE(ReadLog(file.path(), &recording).ok());
  ASSERT_EQ(recording.stats.warnings.size(), 1u);
  EXPECT_NE(recording.stats.warnings[0].find("the file ends within a chunk"), std::string::npos);
}

TEST(RecordingBuilder, RefusesALogWithoutASession) {
  const TemporaryFile file(LogWriter().bytes());
  Recording recording;
  EXPECT_STREQ(ReadLog(file.path(), &recording).code(), kErrBadRecording);
}

LogWriter EverythingLog(const std::string& script) {
  LogWriter writer;
  writer.Control(Session(kPid, kStart) + Module(0x10000, 0x90000, 0, "/proc/self/exe", "id") +
                 Thread(0, 1, kPid, "node") + Stat("signals", 2) + Stat("dropped.busy", 1));
  writer.Detail(
      0, 1,
      Script(1, script, 23) + Function(1, "f", {1, 3}) + FunctionUtf16(2, u"g\u03c0") +
          Stack(1, {Js(1), Js(2, Tier::kInterpreted), MakeFrame(FrameType::kNative, 0x12345),
                    MakeFrame(FrameType::kBuiltin, 0x20000), MakeFrame(FrameType::kGc, 0),
                    MakeFrame(FrameType::kUnknownJs, 5)}));
  writer.Index(0, 1, Sample(kStart, 1, 1) + Sample(kStart + 1, 1, 2, kStateTruncated));
  writer.Control(End(kStart + 100));
  return writer;
}

void ExpectConsistent(const Recording& recording) {
  const size_t samples = recording.sample_threads.size();
  ASSERT_EQ(recording.sample_times.size(), samples);
  ASSERT_EQ(recording.sample_cpu_ns.size(), samples);
  ASSERT_EQ(recording.sample_stacks.size(), samples);
  ASSERT_EQ(recording.sample_states.size(), samples);
  ASSERT_EQ(recording.stack_parents.size(), recording.stack_frames.size());
  for (size_t i = 1; i < recording.stack_parents.size(); ++i) {
    ASSERT_LT(recording.stack_parents[i], i);
    ASSERT_LT(recording.stack_frames[i], recording.frames.size());
  }
  for (size_t i = 0; i < samples; ++i) {
    ASSERT_LT(recording.sample_threads[i], recording.threads.size());
    ASSERT_LT(recording.sample_stacks[i], recording.stack_parents.size());
  }
}

TEST(ReadLog, GivesWhatIsWholeOfALogCutAnywhere) {
  const TemporaryFile script("let a;\nfunction f() {}\n", ".js");
  const std::string good = EverythingLog(script.path()).bytes();
  TemporaryFile file;
  for (size_t length = 0; length <= good.size(); ++length) {
    file.Write(good.substr(0, length));
    Recording recording;
    const Status status = ReadLog(file.path(), &recording);
    if (status.ok()) ExpectConsistent(recording);
    EXPECT_TRUE(status.ok() || status.code() == std::string(kErrBadRecording));
    EXPECT_EQ(recording.is_stopped_cleanly, length == good.size());
  }
}

TEST(ReadLog, SurvivesMutatedLogs) {
  const unsigned seed = std::random_device{}();
  printf("seed %u\n", seed);
  std::mt19937_64 random(seed);
  const TemporaryFile script("let a;\nfunction f() {}\n", ".js");
  const std::string good = EverythingLog(script.path()).bytes();
  // Values that lengths, counts and addresses break at.
  const uint64_t nasty[] = {0,          1,          7,          8,          0x7fffffff,
                            0x80000000, 0xffffffff, 0xfffffff8, UINT64_MAX, 1ull << 63};
  TemporaryFile file;
  size_t decoded = 0;
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round));
    std::string bytes = good;
    for (uint64_t i = 0, n = 1 + random() % 4; i < n; ++i) {
      const size_t at = sizeof(LogHeader) + random() % (bytes.size() - sizeof(LogHeader));
      if (random() % 2 == 0) {
        bytes[at] = static_cast<char>(random());
      } else {
        const uint64_t value = nasty[random() % std::size(nasty)];
        const size_t width = random() % 2 == 0 ? 4 : 8;
        memcpy(bytes.data() + at, &value, std::min(width, bytes.size() - at));
      }
    }
    if (random() % 8 == 0)
      bytes.erase(sizeof(LogHeader) + random() % (bytes.size() / 2), random() % 64);
    RepairChecksums(&bytes);
    file.Write(bytes);
    Recording recording;
    if (!ReadLog(file.path(), &recording).ok()) continue;
    ++decoded;
    ExpectConsistent(recording);
  }
  EXPECT_GT(decoded, 1000u);  // else the mutations only test the header
}

}  // namespace
}  // namespace spprof
