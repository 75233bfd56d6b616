// What a log says, read back: samples per thread, which stacks they name, counters.
//
// Context: tests only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "log/lane_stream.h"
#include "log/log_reader.h"
#include "region/records.h"

namespace spprof::test {

struct LogContents {
  uint64_t samples = 0;
  uint64_t samples_without_stack = 0;  // the stack's definition does not stand before them
  uint64_t lost_bytes = 0;             // of lanes
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> samples_by_thread;  // by slot and generation
  std::set<std::pair<uint32_t, uint32_t>> threads;
  std::set<std::string> names;
  std::map<std::string, uint64_t> stats;
  std::string stop_reason;
};

inline LogContents ReadContents(LogReader reader) {
  LogContents contents;
  std::map<std::tuple<ChunkKind, uint32_t, uint32_t>, LaneStream> lanes;
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> stacks;
  LogChunk chunk;
  while (reader.Next(&chunk)) {
    const auto thread = std::make_pair(chunk.header.slot, chunk.header.generation);
    const auto sink = [&](const RecordView& record) {
      SampleRecord sample;
      StackRecord stack;
      StatRecord stat;
      ThreadRecord named;
      std::string_view text;
      if (record.header.type == RecordType::kSample && record.Read(&sample)) {
        contents.samples++;
        contents.samples_by_thread[thread]++;
        if (stacks.count({thread.first, thread.second, sample.stack_id}) == 0) {
          contents.samples_without_stack++;
        }
      } else if (record.header.type == RecordType::kStack && record.Read(&stack)) {
        stacks.insert({thread.first, thread.second, stack.stack_id});
      } else if (record.header.type == RecordType::kStats && record.Read(&stat) &&
                 record.ReadText(sizeof(stat), stat.name_length, &text)) {
        contents.stats[std::string(text)] = stat.value;
      } else if (record.header.type == RecordType::kThread && record.Read(&named) &&
                 record.ReadText(sizeof(named), named.name_length, &text)) {
        contents.threads.insert({named.slot, named.generation});
        contents.names.insert(std::string(text));
      }
    };
    if (chunk.header.kind == ChunkKind::kControl) {
      bool is_damaged = false;
      ForEachRecord(chunk.payload, sink, &is_damaged);
      continue;
    }
    auto [lane, is_new] = lanes.try_emplace({chunk.header.kind, thread.first, thread.second},
                                            LaneStream(chunk.header.kind));
    lane->second.Append(chunk.header.lane_position, chunk.payload, sink);
  }
  for (const auto& [key, lane] : lanes)
    contents.lost_bytes += lane.lost_bytes() + lane.pending_bytes();
  contents.stop_reason = reader.stop_reason();
  return contents;
}

inline LogContents ReadContents(const std::string& path) {
  LogReader reader;
  const Status status = LogReader::Open(path, &reader);
  LogContents contents = ReadContents(std::move(reader));
  if (!status.ok()) contents.stop_reason = status.message();
  return contents;
}

inline LogContents ReadContents(std::shared_ptr<const Descriptor> file) {
  LogReader reader;
  const Status status = LogReader::OpenShared(std::move(file), "the log", &reader);
  LogContents contents = ReadContents(std::move(reader));
  if (!status.ok()) contents.stop_reason = status.message();
  return contents;
}

}  // namespace spprof::test
