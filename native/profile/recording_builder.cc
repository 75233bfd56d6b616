#include "profile/recording_builder.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "profile/frame_resolver.h"
#include "profile/recording_blocks.h"
#include "profile/recording_stats.h"
#include "profile/sample_weights.h"
#include "profile/stack_tree.h"
#include "profile/thread_stacks.h"

namespace spprof {
namespace {

// Appends the columns of one thread.
void AddThread(const RecordedThread& thread, uint64_t start_ns, const Weighing& weighing,
               FrameResolver* resolver, StackTree* tree, BlockNumbers* blocks, Recording* out,
               uint64_t* stacks_lost) {
  RecordingThread result;
  result.id = static_cast<uint32_t>(out->threads.size());
  result.tid = thread.tid;
  result.name = thread.name;
  result.kind = KindOf(thread, out->pid);
  result.sample_count = static_cast<uint64_t>(
      std::count_if(thread.samples.begin(), thread.samples.end(),
                    [](const SampleRecord& sample) { return !IsOffCpu(sample); }));
  if (thread.totals.has_value()) {
    result.overruns = thread.totals->overruns;
    result.dropped = thread.totals->dropped;
  } else {
    for (const SampleRecord& sample : thread.samples) result.overruns += sample.overruns;
  }
  ThreadStacks stacks(thread, resolver, tree);
  const std::vector<uint32_t> order = OrderByTime(thread.samples);
  const std::vector<uint64_t> weights = WeighSamples(thread, order, weighing);
  for (const uint32_t i : order) {
    const SampleRecord& sample = thread.samples[i];
    const uint64_t cpu_ns = IsOffCpu(sample) ? 0 : weights[i];
    const uint32_t* node = stacks.Find(sample);
    if (node == nullptr && sample.stack_id != 0) ++*stacks_lost;
    out->sample_threads.push_back(result.id);
    out->sample_times.push_back(
        sample.time_ns < start_ns ? 0 : static_cast<double>(sample.time_ns - start_ns));
    out->sample_cpu_ns.push_back(static_cast<double>(cpu_ns));
    out->sample_wall_ns.push_back(static_cast<double>(weights[i]));
    out->sample_stacks.push_back(node != nullptr ? *node : tree->Child(0, resolver->LostFrame()));
    out->sample_states.push_back(StatesOf(sample.state));
    out->sample_blocks.push_back(blocks->NumberOf(sample.header.flags));
    result.cpu_ns += cpu_ns;
    result.wall_ns += weights[i];
  }
  out->threads.push_back(std::move(result));
}

std::string Hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

uint64_t DurationOf(const RecordedLog& log, uint64_t start_ns) {
  uint64_t end = start_ns;
  if (log.end_ns().has_value()) {
    end = *log.end_ns();
  } else {
    for (const auto& thread : log.threads()) {
      for (const SampleRecord& sample : thread->samples) end = std::max(end, sample.time_ns);
    }
  }
  return end > start_ns ? end - start_ns : 0;
}

}  // namespace

Status RecordingBuilder::Build(Recording* out) const {
  if (!log_.session().has_value()) {
    return Status::Error(kErrBadRecording, "the recording breaks off before its session record");
  }
  const RecordedSession& session = *log_.session();
  *out = Recording();
  out->pid = session.pid;
  out->start_time_ms = static_cast<double>(session.start_unix_ns) / 1e6;
  out->duration_ns = DurationOf(log_, session.start_monotonic_ns);
  out->interval_ns = session.interval_ns;
  out->mode = session.mode == 1 ? "wall" : "cpu";
  out->timer = NameOf(static_cast<TimerEngine>(session.timer));
  out->node_version = session.node_version;
  out->exec_path = session.exec_path;
  out->is_stopped_cleanly = log_.end_ns().has_value();

  FrameResolver resolver(log_);
  StackTree tree;
  BlockNumbers blocks(log_);
  uint64_t stacks_lost = 0;
  const Weighing weighing = Weighing::Of(log_);
  for (const auto& thread : log_.threads()) {
    AddThread(*thread, session.start_monotonic_ns, weighing, &resolver, &tree, &blocks, out,
              &stacks_lost);
  }
  for (const RecordedMark& mark : log_.marks()) {
    const uint64_t since_ns = mark.time_ns - std::min(mark.time_ns, session.start_monotonic_ns);
    out->marks.push_back({static_cast<double>(since_ns), mark.tid, mark.name, mark.detail});
  }
  for (const auto& [script, map] : log_.source_maps())
    out->source_maps.push_back({script.first, script.second, map});
  for (const ScriptKey& script : log_.LostSourceMaps())
    out->source_maps.push_back({script.first, script.second, {}});
  for (const Mapping& module : log_.modules()) {
    out->modules.push_back(
        {module.path, Hex(module.build_id), module.start, module.end, module.file_offset});
  }
  out->blocks = blocks.blocks();
  out->frames = resolver.TakeFrames();
  out->stack_parents = tree.TakeParents();
  out->stack_frames = tree.TakeFrames();
  out->stats = MakeStats(log_, log_bytes_);
  out->stats.stacks_lost = stacks_lost;
  std::vector<std::string>& warnings = out->stats.warnings;
  warnings.insert(warnings.end(), warnings_.begin(), warnings_.end());
  if (out->stats.folded != 0) {
    warnings.push_back(std::to_string(out->stats.folded) +
                       " samples were added to others of their stack within " +
                       std::to_string(folding_.window_ns() / 1'000'000) +
                       " ms, to keep the profile within maxMemory: all times are right, when "
                       "something ran is less exact");
  }
  if (folding_.folded_stacks() != 0) {
    warnings.push_back(
        "the " + std::to_string(folding_.folded_stacks()) +
        " rarest stacks are shown as (folded), to keep the profile within maxMemory");
  }
  return Status::Ok();
}

namespace {

Status Decode(LogReader reader, const std::string& path, Recording* out, uint64_t max_memory) {
  try {
    RecordingBuilder builder(max_memory);
    LogChunk chunk;
    while (reader.Next(&chunk)) builder.Add(chunk);
    builder.set_log_bytes(reader.good_bytes());
    if (!reader.stop_reason().empty()) {
      builder.AddWarning("the log is good up to byte " + std::to_string(reader.good_bytes()) +
                         " of " + std::to_string(reader.log_bytes()) + ": " + reader.stop_reason());
    }
    if (reader.skipped_places() != 0) {
      builder.AddWarning(std::to_string(reader.skipped_bytes()) + " bytes of the log, in " +
                         std::to_string(reader.skipped_places()) +
                         " places, are damaged and were left out; the rest has been read");
    } else if (reader.missing_chunks() != 0) {
      builder.AddWarning(std::to_string(reader.missing_chunks()) +
                         " chunks of the log are missing");
    }
    return builder.Build(out);
  } catch (const std::bad_alloc&) {
    return Status::Error(kErrBadRecording, "not enough memory to decode " + path);
  } catch (const std::exception& error) {
    return Status::Error(kErrBadRecording, "cannot decode " + path + ": " + error.what());
  }
}

}  // namespace

Status ReadLog(const std::string& path, Recording* out, uint64_t max_memory,
               const LogRange& range) {
  LogReader reader;
  const Status status = LogReader::Open(path, &reader, range);
  return status.ok() ? Decode(std::move(reader), path, out, max_memory) : status;
}

Status ReadLog(std::shared_ptr<const Descriptor> log, Recording* out, uint64_t max_memory) {
  LogReader reader;
  const Status status = LogReader::OpenShared(std::move(log), "the log", &reader);
  return status.ok() ? Decode(std::move(reader), "the log", out, max_memory) : status;
}

}  // namespace spprof
