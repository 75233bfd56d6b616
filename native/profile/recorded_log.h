// What a log says, record by record, before anything is resolved: per thread its samples and the
// stacks, functions and scripts they refer to; the session, modules and counters. RecordedLog is
// filled chunk by chunk, in any order of lanes.
//
// Context: any thread, one at a time. Input is hostile; memory stays proportional to the bytes fed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "log/lane_stream.h"
#include "log/log_reader.h"
#include "region/records.h"
#include "symbols/symbolizer.h"

namespace spprof {

struct RecordedFunction {
  std::string name;
  std::string line_lengths;  // as in FunctionRecord
  int32_t script_id;
  int32_t start_offset;
  int32_t end_offset;
  int32_t line;
  int32_t column;
};

struct RecordedScript {
  std::string name;
  uint32_t source_length;
  int32_t line_offset;
  int32_t column_offset;
  uint32_t origin_function;  // as in ScriptRecord
  uint32_t origin_place;
};

// A map that is put together from its pieces.
struct RecordedMapPieces {
  std::string text;
  uint32_t characters = 0;
  uint32_t length = 0;  // characters of the whole
};

struct RecordedBlock {
  uint32_t parent;  // a label; 0: none
  std::string profiler, track, name;
};

struct RecordedStack {
  size_t first_frame;  // index into RecordedThread::frames, leaf first
  uint32_t frame_count;
};

struct RecordedTotals {
  uint64_t overruns;
  std::map<std::string, uint64_t> dropped;  // by reason, those that are not 0
};

// One life of a slot.
struct RecordedThread {
  RecordedThread(uint32_t order, uint32_t slot_number, uint32_t slot_generation)
      : number(order),
        slot(slot_number),
        generation(slot_generation),
        detail(ChunkKind::kDetail),
        index(ChunkKind::kIndex) {}

  // Its totals are the last that a log says of it, and a slot has one life after the other.
  bool HasEnded() const { return totals.has_value() || is_superseded; }

  uint32_t number;  // in order of appearance
  uint32_t slot;
  uint32_t generation;
  bool is_superseded = false;
  LaneStream detail;
  LaneStream index;
  uint32_t tid = 0;
  uint32_t kind = 0;  // as in ThreadRecord
  std::string name;
  bool has_javascript = false;
  bool has_folded_stacks = false;  // stacks that are not there any more: see SampleFolding
  std::optional<RecordedTotals> totals;
  std::vector<SampleRecord> samples;
  size_t weighed_samples = 0;  // of the first ones, `cpu_ns` is what they stand for: SampleFolding
  std::vector<Frame> frames;   // of all stacks
  std::unordered_map<uint32_t, RecordedStack> stacks;
  std::unordered_map<uint32_t, RecordedFunction> functions;
  std::unordered_map<int32_t, RecordedScript> scripts;
  std::unordered_map<int32_t, RecordedMapPieces> maps;  // that are not whole, by script
};

struct RecordedMark {
  uint64_t time_ns;  // CLOCK_MONOTONIC
  uint32_t tid;
  std::string name;
  std::string detail;  // JSON, or empty
};

// What a script is called, and how long its source is: whatever thread has compiled it.
using ScriptKey = std::pair<std::string, uint32_t>;

struct RecordedSession {
  uint64_t start_unix_ns;
  uint64_t start_monotonic_ns;
  uint64_t interval_ns;
  uint32_t pid;
  uint16_t mode;
  uint16_t timer;
  std::string node_version;
  std::string exec_path;
};

// Of samples that have become part of others: what those do not tell.
struct FoldedSamples {
  uint64_t samples = 0;
  uint64_t truncated = 0;
  uint64_t incomplete = 0;
  uint64_t handler_total_ns = 0;
  uint64_t handler_max_ns = 0;
};

class RecordedLog {
 public:
  void Add(const LogChunk& chunk);

  size_t sample_count() const;
  size_t frame_count() const;
  // Takes out the threads that have ended and have no samples (any more). What the log should say
  // of one later makes another.
  std::vector<std::unique_ptr<RecordedThread>> TakeEnded();
  // `sample` is about to become part of another one.
  void NoteFolded(const SampleRecord& sample);
  const FoldedSamples& folded() const { return folded_; }

  const std::vector<std::unique_ptr<RecordedThread>>& threads() const { return threads_; }
  const std::optional<RecordedSession>& session() const { return session_; }
  // By label.
  const std::unordered_map<uint32_t, RecordedBlock>& blocks() const { return blocks_; }
  const std::vector<RecordedMark>& marks() const { return marks_; }
  // Those of code that was compiled in memory, as `data:` URLs.
  const std::map<ScriptKey, std::string>& source_maps() const { return source_maps_; }
  // Scripts whose maps were too large to be kept, or of which pieces are missing.
  std::set<ScriptKey> LostSourceMaps() const;
  void DropSourceMaps();
  const std::vector<Mapping>& modules() const { return modules_; }
  const std::map<std::string, uint64_t>& counters() const { return counters_; }
  // Their names in order of appearance.
  const std::vector<std::string>& counter_order() const { return counter_order_; }
  // CLOCK_MONOTONIC of the end; nothing: the recording was not stopped in order.
  std::optional<uint64_t> end_ns() const { return end_ns_; }
  // Bytes of lanes that are missing or not understood.
  uint64_t LostBytes() const;
  // Records whose lengths contradict each other; they are left out.
  uint64_t bad_records() const { return bad_records_; }
  // Samples that stand for no time.
  uint64_t probes() const { return probes_; }
  // All that have ever been added, also those that somebody has taken out since.
  uint64_t samples_added() const { return samples_added_; }

 private:
  RecordedThread& ThreadOf(uint32_t slot, uint32_t generation);
  void AddIndexRecord(RecordedThread& thread, const RecordView& record);
  void AddSample(RecordedThread& thread, const SampleRecord& sample);
  void AddDetailRecord(RecordedThread& thread, const RecordView& record);
  bool AddStack(RecordedThread& thread, const RecordView& record);
  bool AddFunction(RecordedThread& thread, const RecordView& record);
  bool AddScript(RecordedThread& thread, const RecordView& record);
  bool AddMapPiece(RecordedThread& thread, const RecordView& record);
  bool AddBlock(const RecordView& record);
  void AddControlRecord(const RecordView& record);
  bool AddSession(const RecordView& record);
  bool AddModule(const RecordView& record);
  bool AddThread(const RecordView& record);
  bool AddThreadTotals(const RecordView& record);
  bool AddOffCpu(const RecordView& record);
  bool AddSleeperDetails(const RecordView& record);
  bool AddCounter(const RecordView& record);
  bool AddMark(const RecordView& record);

  std::vector<std::unique_ptr<RecordedThread>> threads_;  // in order of appearance
  std::unordered_map<uint64_t, RecordedThread*> thread_by_key_;
  std::unordered_map<uint32_t, RecordedThread*> newest_of_slot_;
  uint32_t threads_seen_ = 0;
  uint64_t taken_lost_bytes_ = 0;
  std::optional<RecordedSession> session_;
  std::vector<Mapping> modules_;
  std::unordered_map<uint32_t, RecordedBlock> blocks_;
  std::vector<RecordedMark> marks_;
  std::map<ScriptKey, std::string> source_maps_;
  std::map<std::string, uint64_t> counters_;
  std::vector<std::string> counter_order_;
  std::optional<uint64_t> end_ns_;
  uint64_t bad_records_ = 0;
  uint64_t probes_ = 0;
  uint64_t samples_added_ = 0;
  FoldedSamples folded_;
};

}  // namespace spprof
