// A decoded recording: what `NativeRecording` of binding.d.ts shows to JavaScript, as columns.
// Context: plain data, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "region/records.h"

namespace spprof {

enum class FrameKind : uint8_t { kJs, kNative, kBuiltin, kGc, kTruncated, kUnknownJs };
enum class FrameTier : uint8_t { kNone, kInterpreted, kBaseline, kMaglev, kTurbofan, kOptimized };

// The words of binding.d.ts.
const char* NameOf(ThreadKind kind);
const char* NameOf(FrameKind kind);
const char* NameOf(FrameTier tier);
const char* NameOf(TimerEngine engine);
// What its timers go by.
const char* ClockOf(TimerEngine engine);

struct RecordingThread {
  uint32_t id = 0;
  uint32_t tid = 0;  // 0: the log does not tell
  std::string name;
  ThreadKind kind = ThreadKind::kNative;
  uint64_t cpu_ns = 0;
  uint64_t wall_ns = 0;
  uint64_t sample_count = 0;
  uint64_t overruns = 0;
  std::map<std::string, uint64_t> dropped;  // by reason, those that are not 0
};

struct RecordingFrame {
  std::string function_name;
  std::string url;
  int32_t script_id = 0;
  int32_t line = 0;    // of the function's start, 1-based; 0: unknown
  int32_t column = 0;  // 1-based, UTF-16 units
  // What was being run of the function, or the call that it was in; 0: unknown.
  int32_t sampled_line = 0;
  int32_t sampled_column = 0;
  FrameKind kind = FrameKind::kNative;
  FrameTier tier = FrameTier::kNone;
  bool is_inlined = false;
  std::string module;
  int32_t start_offset = -1;  // UTF-16 units; -1: unknown
  uint32_t source_length = 0;
};

struct HandlerTimes {
  uint64_t p50 = 0, p99 = 0, max = 0, mean = 0, total = 0;  // nanoseconds
};

// How the recording ended; all empty when it was cut off, or goes on.
struct RecordingShutdown {
  struct Phase {
    std::string name;
    uint64_t took_ns = 0;
    bool is_cut_short = false;
  };
  std::string reason;     // "stop", "duration", "signal", "exit"
  uint64_t wait_ns = 0;   // from the request to the first phase
  uint64_t total_ns = 0;  // from the request on
  std::vector<Phase> phases;
};

struct RecordingStats {
  uint64_t signals = 0;
  uint64_t written = 0;
  uint64_t drained = 0;
  std::map<std::string, uint64_t> dropped;  // by reason
  uint64_t overruns = 0;
  uint64_t folded = 0;  // samples that have become part of others, to keep within the memory
  uint64_t truncated = 0;
  uint64_t incomplete = 0;
  uint64_t stacks_lost = 0;  // samples that are there, and whose stack the log has lost
  uint64_t threads_live = 0;
  uint64_t threads_seen = 0;
  uint64_t threads_refused = 0;
  HandlerTimes handler_ns;
  uint64_t cpu_ns = 0;
  uint64_t probes = 0;          // of the drained samples: they stand for no CPU time
  uint64_t sampled_cpu_ns = 0;  // that the others stand for
  uint64_t drain_cpu_ns = 0;
  uint64_t interval_ns = 0;  // in force, or at the end
  std::string clock;
  std::string signal;  // that samples were taken in; empty: not known
  uint64_t paused_ns = 0;
  uint64_t paused_cpu_ns = 0;
  uint64_t delivery_ns = 0;  // of a signal, estimated
  // Of what follows, see Derive.
  double rate_asked = 0;  // samples per second of CPU time that they stand for
  double rate_achieved = 0;
  double handler_percent = 0;  // of the CPU time outside of pauses
  double delivery_percent = 0;
  double drain_percent = 0;  // of all CPU time: the drain goes on in a pause
  uint64_t bytes = 0;
  uint64_t drain_lag_ns = 0;
  std::vector<std::string> warnings;
  RecordingShutdown shutdown;
};

// Rates and shares, from the counters.
void Derive(RecordingStats* stats);

// A moment that the program has named.
struct RecordingMark {
  double time_ns = 0;  // since the start
  uint32_t tid = 0;
  std::string name;
  std::string detail;  // JSON, or empty
};

// The source map that a script's text holds.
struct RecordingSourceMap {
  std::string script;
  uint32_t source_length = 0;
  std::string map;  // a `data:` URL; empty: it was too large to be kept
};

// A shared object or executable that was mapped while the recording ran.
struct RecordingModule {
  std::string path;
  std::string build_id;  // hexadecimal; empty: unknown
  uint64_t start = 0;    // [start, end): where it was
  uint64_t end = 0;
  uint64_t file_offset = 0;  // of `start`
};

// A block within another one, or within none.
struct RecordingBlock {
  std::string profiler;  // empty: the default one
  std::string track;
  std::string name;
  uint32_t parent = 0;  // 1 + its index, smaller than the own; 0: none
};

// Bits of Recording::sample_states.
inline constexpr uint8_t kSampleInGc = 1;
inline constexpr uint8_t kSampleTruncated = 2;
inline constexpr uint8_t kSampleIncomplete = 4;
inline constexpr uint8_t kSampleOffCpu = 8;

struct Recording {
  uint32_t pid = 0;
  double start_time_ms = 0;  // Unix time
  uint64_t duration_ns = 0;
  uint64_t interval_ns = 0;
  std::string mode;   // "cpu" or "wall"
  std::string timer;  // "tick", "hires", ...
  std::string node_version;
  std::string exec_path;
  std::vector<RecordingThread> threads;  // by id
  std::vector<RecordingFrame> frames;
  // The stack tree. Node 0 is the root and has no frame (its stack_frames entry is 0 and means
  // nothing); stack_parents[i] < i.
  std::vector<uint32_t> stack_parents;
  std::vector<uint32_t> stack_frames;
  // One element a sample, ordered by thread, then time.
  std::vector<uint32_t> sample_threads;
  std::vector<double> sample_times;   // nanoseconds since the start
  std::vector<double> sample_cpu_ns;  // CPU time that ended at the sample's time
  // Wall time that did: CPU time in CPU mode; in wall mode also what the thread has slept, with
  // kSampleOffCpu.
  std::vector<double> sample_wall_ns;
  std::vector<uint32_t> sample_stacks;
  std::vector<uint8_t> sample_states;
  std::vector<uint32_t> sample_blocks;  // 1 + index in `blocks`: the innermost one; 0: none
  std::vector<RecordingBlock> blocks;
  std::vector<RecordingMark> marks;  // by time
  std::vector<RecordingSourceMap> source_maps;
  std::vector<RecordingModule> modules;
  RecordingStats stats;
  bool is_stopped_cleanly = false;
};

}  // namespace spprof
