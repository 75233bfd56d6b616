#include "profile/recording_builder.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "profile/frame_resolver.h"
#include "profile/recording_stats.h"
#include "profile/stack_tree.h"

namespace spprof {
namespace {

ThreadKind KindOf(const RecordedThread& thread, uint32_t pid) {
  if (thread.tid == pid || thread.kind == static_cast<uint32_t>(ThreadKind::kMain))
    return ThreadKind::kMain;
  return thread.has_javascript || thread.kind == static_cast<uint32_t>(ThreadKind::kWorker)
             ? ThreadKind::kWorker
             : ThreadKind::kNative;
}

uint8_t StatesOf(uint32_t state) {
  return static_cast<uint8_t>(((state & kStateInGc) != 0 ? kSampleInGc : 0) |
                              ((state & kStateTruncated) != 0 ? kSampleTruncated : 0) |
                              ((state & kStateIncomplete) != 0 ? kSampleIncomplete : 0));
}

// The stacks of one thread as nodes of the tree.
class ThreadStacks {
 public:
  ThreadStacks(const RecordedThread& thread, FrameResolver* resolver, StackTree* tree)
      : thread_(thread), resolver_(resolver), tree_(tree) {}

  // Nothing when the definition is lost.
  const uint32_t* Find(uint32_t stack_id, bool is_truncated) {
    const auto stack = thread_.stacks.find(stack_id);
    if (stack == thread_.stacks.end()) return nullptr;
    const auto [entry, is_new] =
        nodes_.try_emplace(uint64_t{stack_id} << 1 | (is_truncated ? 1 : 0), 0);
    if (is_new) entry->second = Plant(stack->second, is_truncated);
    return &entry->second;
  }

 private:
  bool HasMarker(const RecordedStack& stack) const {
    for (size_t i = 0; i < stack.frame_count; ++i) {
      if (FrameTypeOf(thread_.frames[stack.first_frame + i]) == FrameType::kTruncated) return true;
    }
    return false;
  }

  uint32_t Plant(const RecordedStack& stack, bool is_truncated) {
    uint32_t node = 0;
    // A long stack that was followed to its root has its marker inside.
    if (is_truncated && !HasMarker(stack)) node = tree_->Child(node, resolver_->TruncatedFrame());
    bool is_in_interpreter =
        false;  // all frames since the last interpreted function belong to its interpreter
    for (size_t i = stack.frame_count; i > 0; --i) {
      const Frame frame = thread_.frames[stack.first_frame + i - 1];
      const uint32_t resolved = resolver_->Resolve(thread_, frame);
      if (is_in_interpreter && resolver_->IsInterpreterBuiltin(resolved)) continue;
      is_in_interpreter =
          FrameTypeOf(frame) == FrameType::kJs && FrameTierOf(frame) == Tier::kInterpreted;
      node = tree_->Child(node, resolved);
    }
    return node;
  }

  const RecordedThread& thread_;
  FrameResolver* resolver_;
  StackTree* tree_;
  std::unordered_map<uint64_t, uint32_t> nodes_;
};

// A sample, or a wait between samples.
struct Event {
  uint64_t time_ns;
  uint64_t cpu_ns;
  uint64_t wall_ns;
  uint32_t stack_id;
  bool is_truncated;
  uint8_t states;
};

std::vector<Event> EventsByTime(const RecordedThread& thread) {
  std::vector<Event> events;
  events.reserve(thread.samples.size() + thread.waits.size());
  for (const SampleRecord& sample : thread.samples) {
    events.push_back({sample.time_ns, sample.cpu_ns, sample.cpu_ns, sample.stack_id,
                      (sample.state & kStateTruncated) != 0, StatesOf(sample.state)});
  }
  for (const RecordedWait& wait : thread.waits)
    events.push_back({wait.time_ns, 0, wait.wall_ns, wait.stack_id, false, kSampleOffCpu});
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.time_ns < b.time_ns; });
  return events;
}

// Appends the columns of one thread.
void AddThread(const RecordedThread& thread, uint64_t start_ns, FrameResolver* resolver,
               StackTree* tree, Recording* out, uint64_t* lost_definitions) {
  RecordingThread result;
  result.id = static_cast<uint32_t>(out->threads.size());
  result.tid = thread.tid;
  result.name = thread.name;
  result.kind = KindOf(thread, out->pid);
  result.sample_count = thread.samples.size();
  if (thread.totals.has_value()) {
    result.overruns = thread.totals->overruns;
    result.dropped = thread.totals->dropped;
  } else {
    for (const SampleRecord& sample : thread.samples) result.overruns += sample.overruns;
  }
  ThreadStacks stacks(thread, resolver, tree);
  for (const Event& event : EventsByTime(thread)) {
    const uint32_t* node = stacks.Find(event.stack_id, event.is_truncated);
    if (node == nullptr && event.stack_id != 0) ++*lost_definitions;
    out->sample_threads.push_back(result.id);
    out->sample_times.push_back(
        event.time_ns < start_ns ? 0 : static_cast<double>(event.time_ns - start_ns));
    out->sample_cpu_ns.push_back(static_cast<double>(event.cpu_ns));
    out->sample_wall_ns.push_back(static_cast<double>(event.wall_ns));
    out->sample_stacks.push_back(node != nullptr ? *node : tree->Child(0, resolver->LostFrame()));
    out->sample_states.push_back(event.states);
    result.cpu_ns += event.cpu_ns;
    result.wall_ns += event.wall_ns;
  }
  out->threads.push_back(std::move(result));
}

uint64_t DurationOf(const RecordedLog& log, uint64_t start_ns) {
  uint64_t end = start_ns;
  if (log.end_ns().has_value()) {
    end = *log.end_ns();
  } else {
    for (const auto& thread : log.threads()) {
      for (const SampleRecord& sample : thread->samples) end = std::max(end, sample.time_ns);
      for (const RecordedWait& wait : thread->waits) end = std::max(end, wait.time_ns);
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
  uint64_t lost_definitions = 0;
  for (const auto& thread : log_.threads()) {
    AddThread(*thread, session.start_monotonic_ns, &resolver, &tree, out, &lost_definitions);
  }
  out->frames = resolver.TakeFrames();
  out->stack_parents = tree.TakeParents();
  out->stack_frames = tree.TakeFrames();
  out->stats = MakeStats(log_, log_bytes_);
  if (lost_definitions > 0) out->stats.dropped["definition_lost"] += lost_definitions;
  std::vector<std::string>& warnings = out->stats.warnings;
  warnings.insert(warnings.end(), warnings_.begin(), warnings_.end());
  return Status::Ok();
}

Status ReadLog(const std::string& path, Recording* out) {
  try {
    LogReader reader;
    Status status = LogReader::Open(path, &reader);
    if (!status.ok()) return status;
    RecordingBuilder builder;
    LogChunk chunk;
    while (reader.Next(&chunk)) builder.Add(chunk);
    builder.set_log_bytes(reader.good_bytes());
    if (!reader.stop_reason().empty()) {
      builder.AddWarning("the log is good up to byte " + std::to_string(reader.good_bytes()) +
                         " of " + std::to_string(reader.file_bytes()) + ": " +
                         reader.stop_reason());
    }
    return builder.Build(out);
  } catch (const std::bad_alloc&) {
    return Status::Error(kErrBadRecording, "not enough memory to decode " + path);
  } catch (const std::exception& error) {
    return Status::Error(kErrBadRecording, "cannot decode " + path + ": " + error.what());
  }
}

}  // namespace spprof
