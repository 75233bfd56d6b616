#include "profile/recorded_log.h"

#include <algorithm>
#include <iterator>

#include "base/utf.h"
#include "profile/control_text.h"
#include "region/layout.h"

namespace spprof {
namespace {

constexpr char kEllipsis[] = "\xe2\x80\xa6";  // marks a name that the handler shortened

// Text of a lane record, as V8 holds it.
bool ReadLaneText(const RecordView& record, size_t offset, uint32_t length, std::string* out) {
  const bool is_two_byte = (record.header.flags & kTextTwoByte) != 0;
  std::string_view bytes;
  if (!record.ReadText(offset, uint64_t{length} * (is_two_byte ? 2 : 1), &bytes)) return false;
  const bool is_shortened = (record.header.flags & kTextShortened) != 0 || length > kMaxTextLength;
  bytes = bytes.substr(0, kMaxTextLength * (is_two_byte ? 2 : 1));
  *out = is_two_byte ? Utf16ToUtf8(bytes) : Latin1ToUtf8(bytes);
  if (is_shortened) *out += kEllipsis;
  return true;
}

}  // namespace

void RecordedLog::Add(const LogChunk& chunk) {
  switch (chunk.header.kind) {
    case ChunkKind::kControl: {
      bool is_damaged = false;
      const size_t done = ForEachRecord(
          chunk.payload, [&](const RecordView& record) { AddControlRecord(record); }, &is_damaged);
      if (done < chunk.payload.size()) ++bad_records_;
      break;
    }
    case ChunkKind::kDetail: {
      RecordedThread& thread = ThreadOf(chunk.header.slot, chunk.header.generation);
      thread.detail.Append(chunk.header.lane_position, chunk.payload,
                           [&](const RecordView& record) { AddDetailRecord(thread, record); });
      break;
    }
    case ChunkKind::kIndex: {
      RecordedThread& thread = ThreadOf(chunk.header.slot, chunk.header.generation);
      thread.index.Append(chunk.header.lane_position, chunk.payload,
                          [&](const RecordView& record) { AddIndexRecord(thread, record); });
      break;
    }
  }
}

size_t RecordedLog::sample_count() const {
  size_t count = 0;
  for (const auto& thread : threads_) count += thread->samples.size();
  return count;
}

size_t RecordedLog::frame_count() const {
  size_t count = 0;
  for (const auto& thread : threads_) count += thread->frames.size();
  return count;
}

void RecordedLog::NoteFolded(const SampleRecord& sample) {
  if ((sample.state & kStateOffCpu) != 0) return;  // never counted as one
  folded_.samples++;
  if ((sample.state & kStateTruncated) != 0) folded_.truncated++;
  if ((sample.state & kStateIncomplete) != 0) folded_.incomplete++;
  folded_.handler_total_ns += sample.handler_ns;
  folded_.handler_max_ns = std::max<uint64_t>(folded_.handler_max_ns, sample.handler_ns);
}

uint64_t RecordedLog::LostBytes() const {
  uint64_t lost = taken_lost_bytes_;
  for (const auto& thread : threads_)
    lost += thread->detail.lost_bytes() + thread->index.lost_bytes();
  return lost;
}

RecordedThread& RecordedLog::ThreadOf(uint32_t slot, uint32_t generation) {
  RecordedThread*& thread = thread_by_key_[uint64_t{slot} << 32 | generation];
  if (thread == nullptr) {
    threads_.push_back(std::make_unique<RecordedThread>(threads_seen_++, slot, generation));
    thread = threads_.back().get();
    RecordedThread*& newest = newest_of_slot_[slot];
    const bool is_newest = newest == nullptr || newest->generation < generation;
    RecordedThread* const older = is_newest ? newest : thread;
    if (older != nullptr) older->is_superseded = true;
    if (is_newest) newest = thread;
  }
  return *thread;
}

std::vector<std::unique_ptr<RecordedThread>> RecordedLog::TakeEnded() {
  const auto kept = std::stable_partition(threads_.begin(), threads_.end(), [](const auto& thread) {
    return !thread->HasEnded() || !thread->samples.empty();
  });
  std::vector<std::unique_ptr<RecordedThread>> ended(std::make_move_iterator(kept),
                                                     std::make_move_iterator(threads_.end()));
  threads_.erase(kept, threads_.end());
  for (const auto& thread : ended) {
    taken_lost_bytes_ += thread->detail.lost_bytes() + thread->index.lost_bytes();
    thread_by_key_.erase(uint64_t{thread->slot} << 32 | thread->generation);
    const auto newest = newest_of_slot_.find(thread->slot);
    if (newest != newest_of_slot_.end() && newest->second == thread.get())
      newest_of_slot_.erase(newest);
  }
  return ended;
}

void RecordedLog::AddIndexRecord(RecordedThread& thread, const RecordView& record) {
  if (record.header.type != RecordType::kSample) return;  // a later version's
  SampleRecord sample;
  if (!record.Read(&sample)) {
    ++bad_records_;
    return;
  }
  if ((sample.state & kStateRunsJavaScript) != 0) thread.has_javascript = true;
  if ((sample.state & kStateProbe) != 0) {
    probes_++;
    return;
  }
  AddSample(thread, sample);
}

void RecordedLog::AddSample(RecordedThread& thread, const SampleRecord& sample) {
  thread.samples.push_back(sample);
  samples_added_++;
}

void RecordedLog::AddDetailRecord(RecordedThread& thread, const RecordView& record) {
  bool is_good = true;
  switch (record.header.type) {
    case RecordType::kStack:
      is_good = AddStack(thread, record);
      break;
    case RecordType::kFunction:
      is_good = AddFunction(thread, record);
      break;
    case RecordType::kScript:
      is_good = AddScript(thread, record);
      break;
    case RecordType::kMapPiece:
      is_good = AddMapPiece(thread, record);
      break;
    case RecordType::kBlock:
      is_good = AddBlock(record);
      break;
    default:
      break;  // a later version's
  }
  if (!is_good) ++bad_records_;
}

bool RecordedLog::AddStack(RecordedThread& thread, const RecordView& record) {
  StackRecord stack;
  std::string_view frames;
  if (!record.Read(&stack) ||
      !record.ReadText(sizeof(stack), uint64_t{stack.frame_count} * sizeof(Frame), &frames)) {
    return false;
  }
  const size_t first = thread.frames.size();
  const auto [entry, is_new] =
      thread.stacks.try_emplace(stack.stack_id, RecordedStack{first, stack.frame_count});
  if (!is_new || frames.empty()) return true;
  thread.frames.resize(first + stack.frame_count);
  memcpy(thread.frames.data() + first, frames.data(), frames.size());
  return true;
}

bool RecordedLog::AddFunction(RecordedThread& thread, const RecordView& record) {
  FunctionRecord function;
  RecordedFunction result;
  if (!record.Read(&function) ||
      !ReadLaneText(record, sizeof(function), function.name_length, &result.name)) {
    return false;
  }
  const bool is_two_byte = (function.header.flags & kTextTwoByte) != 0;
  std::string_view lines;
  if (!record.ReadText(sizeof(function) + uint64_t{function.name_length} * (is_two_byte ? 2 : 1),
                       function.lines_length, &lines)) {
    return false;
  }
  result.line_lengths = lines.substr(0, kMaxTextLength);
  result.script_id = function.script_id;
  result.start_offset = function.start_offset < 0 ? -1 : function.start_offset;
  result.end_offset = function.end_offset;
  result.line = function.line < 0 ? 0 : function.line;
  result.column = function.column < 0 ? 0 : function.column;
  thread.functions.insert_or_assign(function.function_id, std::move(result));
  return true;
}

bool RecordedLog::AddScript(RecordedThread& thread, const RecordView& record) {
  ScriptRecord script;
  RecordedScript result;
  if (!record.Read(&script) ||
      !ReadLaneText(record, sizeof(script), script.name_length, &result.name))
    return false;
  result.source_length = script.source_length;
  result.line_offset = script.line_offset;
  result.column_offset = script.column_offset;
  result.origin_function = script.origin_function;
  result.origin_place = script.origin_place;
  // The handler defines a script again when its table was full; that time it may have failed to
  // read the name.
  const auto [entry, is_new] = thread.scripts.try_emplace(script.script_id);
  if (is_new || !result.name.empty()) entry->second = std::move(result);
  return true;
}

bool RecordedLog::AddMapPiece(RecordedThread& thread, const RecordView& record) {
  MapPieceRecord piece;
  std::string_view bytes;
  if (!record.Read(&piece)) return false;
  const bool is_two_byte = (piece.header.flags & kTextTwoByte) != 0;
  const auto script = thread.scripts.find(piece.script_id);
  if (script == thread.scripts.end() ||
      !record.ReadText(sizeof(piece), uint64_t{piece.piece_length} * (is_two_byte ? 2 : 1),
                       &bytes)) {
    return false;
  }
  RecordedMapPieces& map = thread.maps[piece.script_id];
  if (piece.offset == 0) map = {{}, 0, piece.map_length};
  if (piece.offset != map.characters || piece.map_length != map.length) return true;  // a gap
  map.text += is_two_byte ? Utf16ToUtf8(bytes) : Latin1ToUtf8(bytes);
  map.characters += piece.piece_length;
  if (map.characters != map.length || map.length == 0) return true;
  source_maps_.insert_or_assign({script->second.name, script->second.source_length},
                                std::move(map.text));
  thread.maps.erase(piece.script_id);
  return true;
}

std::set<ScriptKey> RecordedLog::LostSourceMaps() const {
  std::set<ScriptKey> lost;
  for (const auto& thread : threads_) {
    for (const auto& [script_id, map] : thread->maps) {
      const RecordedScript& script = thread->scripts.at(script_id);
      ScriptKey key{script.name, script.source_length};
      if (source_maps_.count(key) == 0) lost.insert(std::move(key));
    }
  }
  return lost;
}

void RecordedLog::DropSourceMaps() {
  source_maps_.clear();
  for (const auto& thread : threads_) thread->maps.clear();
}

bool RecordedLog::AddBlock(const RecordView& record) {
  BlockRecord block;
  RecordedBlock result;
  if (!record.Read(&block)) return false;
  result.parent = block.parent;
  const size_t track = sizeof(block) + size_t{block.profiler_length};
  const size_t name = track + block.track_length;
  if (!ReadControlText(record, sizeof(block), block.profiler_length, &result.profiler) ||
      !ReadControlText(record, track, block.track_length, &result.track) ||
      !ReadControlText(record, name, block.name_length, &result.name)) {
    return false;
  }
  blocks_.try_emplace(block.label, std::move(result));
  return true;
}

void RecordedLog::AddControlRecord(const RecordView& record) {
  bool is_good = true;
  switch (record.header.type) {
    case RecordType::kSession:
      is_good = AddSession(record);
      break;
    case RecordType::kModule:
      is_good = AddModule(record);
      break;
    case RecordType::kThread:
      is_good = AddThread(record);
      break;
    case RecordType::kThreadTotals:
      is_good = AddThreadTotals(record);
      break;
    case RecordType::kOffCpu:
      is_good = AddOffCpu(record);
      break;
    case RecordType::kSleeperDetails:
      is_good = AddSleeperDetails(record);
      break;
    case RecordType::kStats:
      is_good = AddCounter(record);
      break;
    case RecordType::kMark:
      is_good = AddMark(record);
      break;
    case RecordType::kEnd: {
      EndRecord end;
      is_good = record.Read(&end);
      if (is_good) end_ns_ = end.monotonic_ns;
      break;
    }
    default:
      break;  // a later version's
  }
  if (!is_good) ++bad_records_;
}

bool RecordedLog::AddSession(const RecordView& record) {
  SessionRecord session;
  if (!record.Read(&session)) return false;
  RecordedSession result{session.start_unix_ns,
                         session.start_monotonic_ns,
                         session.interval_ns,
                         session.pid,
                         session.mode,
                         session.timer,
                         {},
                         {}};
  if (!ReadControlText(record, sizeof(session), session.node_version_length,
                       &result.node_version) ||
      !ReadControlText(record, sizeof(session) + session.node_version_length,
                       session.exec_path_length, &result.exec_path)) {
    return false;
  }
  session_ = std::move(result);
  return true;
}

bool RecordedLog::AddModule(const RecordView& record) {
  ModuleRecord module;
  std::string_view path, build_id;
  // The path is not made valid UTF-8: it is to be opened.
  if (!record.Read(&module) || module.path_length > kMaxTextLength || module.build_id_length > 64 ||
      !record.ReadText(sizeof(module), module.path_length, &path) ||
      !record.ReadText(sizeof(module) + module.path_length, module.build_id_length, &build_id) ||
      module.start >= module.end) {
    return false;
  }
  modules_.push_back(
      {module.start, module.end, module.file_offset, std::string(path), std::string(build_id)});
  return true;
}

bool RecordedLog::AddThread(const RecordView& record) {
  ThreadRecord thread;
  std::string name;
  if (!record.Read(&thread) || !ReadControlText(record, sizeof(thread), thread.name_length, &name))
    return false;
  RecordedThread& target = ThreadOf(thread.slot, thread.generation);
  target.tid = thread.tid;
  target.kind = thread.kind;
  target.name = std::move(name);
  return true;
}

bool RecordedLog::AddThreadTotals(const RecordView& record) {
  ThreadTotalsRecord totals;
  std::string_view counts;
  if (!record.Read(&totals) ||
      !record.ReadText(sizeof(totals), uint64_t{totals.reason_count} * sizeof(uint64_t), &counts)) {
    return false;
  }
  RecordedTotals result{totals.overruns, {}};
  // A later version may know more reasons; they are in the sum over all threads.
  const size_t known =
      std::min<size_t>(totals.reason_count, static_cast<size_t>(DropReason::kCount));
  for (size_t i = 0; i < known; i++) {
    uint64_t count;
    memcpy(&count, counts.data() + i * sizeof(count), sizeof(count));
    if (count != 0) result.dropped[DropReasonName(static_cast<DropReason>(i))] = count;
  }
  ThreadOf(totals.slot, totals.generation).totals = std::move(result);
  return true;
}

bool RecordedLog::AddOffCpu(const RecordView& record) {
  OffCpuRecord off_cpu;
  if (!record.Read(&off_cpu)) return false;
  SampleRecord sample{};
  sample.time_ns = off_cpu.time_ns;
  sample.cpu_ns = off_cpu.wall_ns;
  sample.header.flags = static_cast<uint16_t>(off_cpu.label);
  sample.stack_id = off_cpu.stack_id;
  sample.state = kStateOffCpu | (off_cpu.header.flags & kOffCpuStates);
  RecordedThread& thread = ThreadOf(off_cpu.slot, off_cpu.generation);
  if ((sample.state & kStateRunsJavaScript) != 0) thread.has_javascript = true;
  AddSample(thread, sample);
  return true;
}

bool RecordedLog::AddSleeperDetails(const RecordView& record) {
  SleeperDetailsRecord details;
  if (!record.Read(&details) || details.size > record.bytes.size() - sizeof(details)) return false;
  RecordedThread& thread = ThreadOf(details.slot, details.generation);
  bool is_damaged = false;
  const size_t done = ForEachRecord(
      record.bytes.subspan(sizeof(details), details.size),
      [&](const RecordView& detail) { AddDetailRecord(thread, detail); }, &is_damaged);
  return done == details.size;
}

bool RecordedLog::AddCounter(const RecordView& record) {
  StatRecord stat;
  std::string name;
  if (!record.Read(&stat) || !ReadControlText(record, sizeof(stat), stat.name_length, &name))
    return false;
  const auto [counter, is_new] = counters_.insert_or_assign(std::move(name), stat.value);
  if (is_new) counter_order_.push_back(counter->first);
  return true;
}

}  // namespace spprof
