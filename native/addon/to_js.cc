#include "addon/to_js.h"

#include <cstring>
#include <string_view>
#include <unordered_map>

#include "platform/signal_names.h"

namespace spprof {

namespace {

double Number(uint64_t value) { return static_cast<double>(value); }

// A typed array over a column of the recording. Copied: an external buffer is refused by builds of
// V8 with a sandbox.
template <typename Array, typename Element>
Array Column(Napi::Env env, const std::vector<Element>& column) {
  Array array = Array::New(env, column.size());
  if (!column.empty()) std::memcpy(array.Data(), column.data(), column.size() * sizeof(Element));
  return array;
}

Napi::Object HandlerNs(Napi::Env env, uint64_t p50, uint64_t p99, uint64_t max, uint64_t mean,
                       uint64_t total) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("p50", Number(p50));
  object.Set("p99", Number(p99));
  object.Set("max", Number(max));
  object.Set("mean", Number(mean));
  object.Set("total", Number(total));
  return object;
}

Napi::Array Strings(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (size_t i = 0; i < strings.size(); i++) array.Set(static_cast<uint32_t>(i), strings[i]);
  return array;
}

Napi::Object Dropped(Napi::Env env, const std::map<std::string, uint64_t>& dropped) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [reason, count] : dropped) object.Set(reason, Number(count));
  return object;
}

Napi::Value Shutdown(Napi::Env env, const RecordingShutdown& shutdown) {
  if (shutdown.reason.empty()) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("reason", shutdown.reason);
  object.Set("totalNs", Number(shutdown.total_ns));
  object.Set("waitNs", Number(shutdown.wait_ns));
  Napi::Array phases = Napi::Array::New(env, shutdown.phases.size());
  for (uint32_t i = 0; i < shutdown.phases.size(); i++) {
    const RecordingShutdown::Phase& phase = shutdown.phases[i];
    Napi::Object each = Napi::Object::New(env);
    each.Set("name", phase.name);
    each.Set("tookNs", Number(phase.took_ns));
    each.Set("cutShort", phase.is_cut_short);
    phases.Set(i, each);
  }
  object.Set("phases", phases);
  return object;
}

Napi::Object StatsObject(Napi::Env env, const RecordingStats& stats) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("signals", Number(stats.signals));
  object.Set("written", Number(stats.written));
  object.Set("drained", Number(stats.drained));
  object.Set("dropped", Dropped(env, stats.dropped));
  object.Set("overruns", Number(stats.overruns));
  object.Set("folded", Number(stats.folded));
  object.Set("truncated", Number(stats.truncated));
  object.Set("incomplete", Number(stats.incomplete));
  object.Set("stacksLost", Number(stats.stacks_lost));
  object.Set("threadsLive", Number(stats.threads_live));
  object.Set("threadsSeen", Number(stats.threads_seen));
  object.Set("threadsRefused", Number(stats.threads_refused));
  object.Set("handlerNs",
             HandlerNs(env, stats.handler_ns.p50, stats.handler_ns.p99, stats.handler_ns.max,
                       stats.handler_ns.mean, stats.handler_ns.total));
  object.Set("cpuNs", Number(stats.cpu_ns));
  object.Set("sampledCpuNs", Number(stats.sampled_cpu_ns));
  object.Set("intervalNs", Number(stats.interval_ns));
  object.Set("clock", stats.clock);
  object.Set("signal", stats.signal);
  Napi::Object rate = Napi::Object::New(env);
  rate.Set("asked", stats.rate_asked);
  rate.Set("achieved", stats.rate_achieved);
  object.Set("rate", rate);
  Napi::Object overhead = Napi::Object::New(env);
  overhead.Set("handlerPercent", stats.handler_percent);
  overhead.Set("deliveryPercent", stats.delivery_percent);
  overhead.Set("drainPercent", stats.drain_percent);
  object.Set("overhead", overhead);
  object.Set("deliveryNs", Number(stats.delivery_ns));
  object.Set("pausedNs", Number(stats.paused_ns));
  object.Set("bytes", Number(stats.bytes));
  object.Set("drainLagNs", Number(stats.drain_lag_ns));
  object.Set("warnings", Strings(env, stats.warnings));
  object.Set("shutdown", Shutdown(env, stats.shutdown));
  return object;
}

Napi::Array Threads(Napi::Env env, const std::vector<RecordingThread>& threads) {
  Napi::Array array = Napi::Array::New(env, threads.size());
  for (uint32_t i = 0; i < threads.size(); i++) {
    const RecordingThread& thread = threads[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", Number(thread.id));
    object.Set("tid", Number(thread.tid));
    object.Set("name", thread.name);
    object.Set("kind", NameOf(thread.kind));
    object.Set("cpuNs", Number(thread.cpu_ns));
    object.Set("wallNs", Number(thread.wall_ns));
    object.Set("sampleCount", Number(thread.sample_count));
    object.Set("overruns", Number(thread.overruns));
    object.Set("dropped", Dropped(env, thread.dropped));
    array.Set(i, object);
  }
  return array;
}

Napi::Array Marks(Napi::Env env, const std::vector<RecordingMark>& marks) {
  Napi::Array array = Napi::Array::New(env, marks.size());
  for (uint32_t i = 0; i < marks.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("timeNs", marks[i].time_ns);
    object.Set("tid", Number(marks[i].tid));
    object.Set("name", marks[i].name);
    object.Set("detail", marks[i].detail);
    array.Set(i, object);
  }
  return array;
}

Napi::Array SourceMaps(Napi::Env env, const std::vector<RecordingSourceMap>& maps) {
  Napi::Array array = Napi::Array::New(env, maps.size());
  for (uint32_t i = 0; i < maps.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("script", maps[i].script);
    object.Set("sourceLength", Number(maps[i].source_length));
    object.Set("map", maps[i].map);
    array.Set(i, object);
  }
  return array;
}

Napi::Array Modules(Napi::Env env, const std::vector<RecordingModule>& modules) {
  Napi::Array array = Napi::Array::New(env, modules.size());
  for (uint32_t i = 0; i < modules.size(); i++) {
    Napi::HandleScope scope(env);
    Napi::Object object = Napi::Object::New(env);
    object.Set("path", modules[i].path);
    object.Set("buildId", modules[i].build_id);
    object.Set("start", Number(modules[i].start));
    object.Set("end", Number(modules[i].end));
    object.Set("fileOffset", Number(modules[i].file_offset));
    array.Set(i, object);
  }
  return array;
}

Napi::Array Blocks(Napi::Env env, const std::vector<RecordingBlock>& blocks) {
  Napi::Array array = Napi::Array::New(env, blocks.size());
  for (uint32_t i = 0; i < blocks.size(); i++) {
    Napi::HandleScope scope(env);
    Napi::Object object = Napi::Object::New(env);
    object.Set("profiler", blocks[i].profiler);
    object.Set("track", blocks[i].track);
    object.Set("block", blocks[i].name);
    object.Set("parent", Number(blocks[i].parent));
    array.Set(i, object);
  }
  return array;
}

// Texts, each once, by the order of their first use.
class Texts {
 public:
  int32_t NumberOf(std::string_view text) {
    const auto [entry, is_new] = numbers_.try_emplace(text, static_cast<int32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return entry->second;
  }
  Napi::Array ToJs(Napi::Env env) const {
    Napi::Array array = Napi::Array::New(env, texts_.size());
    for (uint32_t i = 0; i < texts_.size(); i++) {
      Napi::HandleScope scope(env);
      array.Set(i, Napi::String::New(env, texts_[i].data(), texts_[i].size()));
    }
    return array;
  }

 private:
  std::unordered_map<std::string_view, int32_t> numbers_;
  std::vector<std::string_view> texts_;
};

// Of objects made property by property, those of a large program would hold up the event loop.
Napi::Object Frames(Napi::Env env, const std::vector<RecordingFrame>& frames) {
  Texts texts;
  std::vector<int32_t> fields;
  for (const RecordingFrame& frame : frames) {
    fields.insert(fields.end(),
                  {texts.NumberOf(frame.function_name), texts.NumberOf(frame.url), frame.script_id,
                   frame.line, frame.column, frame.sampled_line, frame.sampled_column,
                   texts.NumberOf(NameOf(frame.kind)), texts.NumberOf(NameOf(frame.tier)),
                   frame.is_inlined ? 1 : 0, texts.NumberOf(frame.module), frame.start_offset,
                   static_cast<int32_t>(frame.source_length)});
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("texts", texts.ToJs(env));
  object.Set("fields", Column<Napi::Int32Array>(env, fields));
  return object;
}

}  // namespace

Napi::Error ToError(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message());
  error.Set("code", Napi::String::New(env, status.code()));
  if (status.syscall() != nullptr) {
    error.Set("syscall", Napi::String::New(env, status.syscall()));
    error.Set("errno", Napi::Number::New(env, status.error_number()));
  }
  return error;
}

Napi::Object ToJs(Napi::Env env, const ProfilerStats& stats) {
  RecordingStats all;
  all.signals = stats.totals.signals;
  all.written = stats.totals.written;
  all.drained = stats.drain.samples_drained;
  for (size_t i = 0; i < static_cast<size_t>(DropReason::kCount); i++) {
    all.dropped[DropReasonName(static_cast<DropReason>(i))] = stats.totals.dropped[i];
  }
  all.dropped["in_flight"] = stats.totals.in_flight;
  all.overruns = stats.totals.overruns;
  all.threads_live = stats.threads_live;
  all.threads_seen = stats.threads_seen;
  all.threads_refused = stats.threads_refused;
  all.handler_ns.p50 = stats.drain.handler_p50_ns;
  all.handler_ns.p99 = stats.drain.handler_p99_ns;
  all.handler_ns.max = stats.totals.handler_max_ns;
  all.handler_ns.mean =
      stats.totals.written != 0 ? stats.totals.handler_total_ns / stats.totals.written : 0;
  all.handler_ns.total = stats.totals.handler_total_ns;
  all.cpu_ns = stats.cpu_ns;
  all.sampled_cpu_ns = stats.drain.sampled_cpu_ns;
  all.drain_cpu_ns = stats.drain.drain_cpu_ns;
  all.interval_ns = stats.sampler.interval_ns;
  all.clock = ClockOf(stats.engine);
  all.signal = SignalName(stats.sampler.signal);
  all.paused_ns = stats.sampler.paused_ns;
  all.paused_cpu_ns = stats.sampler.paused_cpu_ns;
  all.delivery_ns = stats.sampler.delivery_ns;
  Derive(&all);
  all.bytes = stats.drain.bytes_written;
  all.drain_lag_ns = stats.drain.lag_ns;
  all.warnings = stats.warnings;
  return StatsObject(env, all);
}

Napi::Object ToJs(Napi::Env env, const Recording& recording) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Number(recording.pid));
  object.Set("startTimeMs", recording.start_time_ms);
  object.Set("durationNs", Number(recording.duration_ns));
  object.Set("intervalNs", Number(recording.interval_ns));
  object.Set("mode", recording.mode);
  object.Set("timer", recording.timer);
  object.Set("nodeVersion", recording.node_version);
  object.Set("execPath", recording.exec_path);
  object.Set("threads", Threads(env, recording.threads));
  object.Set("frames", Frames(env, recording.frames));
  object.Set("stackParents", Column<Napi::Uint32Array>(env, recording.stack_parents));
  object.Set("stackFrames", Column<Napi::Uint32Array>(env, recording.stack_frames));
  object.Set("sampleThreads", Column<Napi::Uint32Array>(env, recording.sample_threads));
  object.Set("sampleTimes", Column<Napi::Float64Array>(env, recording.sample_times));
  object.Set("sampleCpuNs", Column<Napi::Float64Array>(env, recording.sample_cpu_ns));
  object.Set("sampleWallNs", Column<Napi::Float64Array>(env, recording.sample_wall_ns));
  object.Set("sampleStacks", Column<Napi::Uint32Array>(env, recording.sample_stacks));
  object.Set("sampleBlocks", Column<Napi::Uint32Array>(env, recording.sample_blocks));
  object.Set("blocks", Blocks(env, recording.blocks));
  object.Set("sampleStates", Column<Napi::Uint8Array>(env, recording.sample_states));
  object.Set("marks", Marks(env, recording.marks));
  object.Set("sourceMaps", SourceMaps(env, recording.source_maps));
  object.Set("modules", Modules(env, recording.modules));
  object.Set("stats", StatsObject(env, recording.stats));
  object.Set("stoppedCleanly", recording.is_stopped_cleanly);
  return object;
}

Napi::Object ToJs(Napi::Env env, const LiveBatch& batch) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("times", Column<Napi::Float64Array>(env, batch.times_ms));
  object.Set("cpuTimes", Column<Napi::Float64Array>(env, batch.cpu_ns));
  object.Set("wallTimes", Column<Napi::Float64Array>(env, batch.wall_ns));
  object.Set("stackIds", Column<Napi::Uint32Array>(env, batch.stack_ids));
  object.Set("threadIds", Column<Napi::Uint32Array>(env, batch.thread_ids));
  object.Set("blockIds", Column<Napi::Uint32Array>(env, batch.block_ids));
  object.Set("firstBlock", Number(batch.first_block));
  object.Set("blocks", Blocks(env, batch.blocks));
  object.Set("states", Column<Napi::Uint8Array>(env, batch.states));
  object.Set("firstFrame", Number(batch.first_frame));
  object.Set("frames", Frames(env, batch.frames));
  object.Set("newStackIds", Column<Napi::Uint32Array>(env, batch.new_stack_ids));
  object.Set("newStackLengths", Column<Napi::Uint32Array>(env, batch.new_stack_lengths));
  object.Set("newStackFrames", Column<Napi::Uint32Array>(env, batch.new_stack_frames));
  object.Set("threads", Threads(env, batch.threads));
  object.Set("endedThreads", Column<Napi::Uint32Array>(env, batch.ended_threads));
  return object;
}

}  // namespace spprof
