// The Node-API module: the functions of binding.d.ts. Thin: options have been checked in
// JavaScript, work is done by session/ and profile/. Context: JavaScript threads; what takes long
// runs on libuv's pool.
#include <napi.h>
#include <sys/auxv.h>

#include "addon/blocks.h"
#include "addon/command.h"
#include "addon/decode_worker.h"
#include "addon/subscription.h"
#include "addon/to_js.h"
#include "platform/kernel_tick_clock.h"
#include "platform/signal_names.h"
#include "profile/recording_builder.h"
#include "sampling/engine_choice.h"
#include "session/liveness.h"
#include "session/profiler.h"
#include "v8/gc_hooks.h"

namespace spprof {

namespace {

// An optional limit for the decoded recording.
uint64_t MaxMemory(const Napi::Value& given) {
  return given.IsNumber() ? static_cast<uint64_t>(given.As<Napi::Number>().DoubleValue())
                          : RecordingBuilder::kUnbounded;
}

std::string GetString(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

TimerEngine EngineByName(const std::string& name) {
  for (TimerEngine engine : {TimerEngine::kHires, TimerEngine::kPerf, TimerEngine::kItimer}) {
    if (name == NameOf(engine)) return engine;
  }
  return TimerEngine::kTick;
}

ProfilerOptions OptionsFrom(const Napi::CallbackInfo& info) {
  const Napi::Object given = info[0].As<Napi::Object>();
  ProfilerOptions options;
  options.sampler.interval_ns =
      static_cast<uint64_t>(given.Get("intervalNs").As<Napi::Number>().DoubleValue());
  options.sampler.wall = GetString(given, "mode") == "wall";
  const std::string signal = GetString(given, "signal");
  options.sampler.signal = signal == "auto" ? kAnySignal : SignalByName(signal);
  const std::string timer = GetString(given, "timer");
  if (timer == "auto") {
    const bool is_tick_enough = given.Get("isTickEnough").ToBoolean();
    EngineChoice choice = ChooseEngine(is_tick_enough ? UINT64_MAX : options.sampler.interval_ns,
                                       options.sampler.signal);
    options.sampler.engine = choice.engine;
    if (!choice.reason.empty()) options.warnings.push_back(std::move(choice.reason));
  } else {
    options.sampler.engine = EngineByName(timer);
  }
  options.sampler.max_overhead = given.Get("maxOverhead").ToNumber().DoubleValue() / 100;
  options.sampler.javascript_threads_only = GetString(given, "threads") == "js";
  options.sampler.native_frames = given.Get("native").ToBoolean();
  options.sampler.max_frames = given.Get("maxFrames").As<Napi::Number>().Uint32Value();
  options.max_threads = given.Get("maxThreads").As<Napi::Number>().Uint32Value();
  options.geometry.index_ring_size = given.Get("indexRingBytes").As<Napi::Number>().Uint32Value();
  options.geometry.detail_ring_size = given.Get("detailRingBytes").As<Napi::Number>().Uint32Value();
  options.duration_ns = static_cast<uint64_t>(given.Get("durationNs").ToNumber().DoubleValue());
  options.handle_signals = given.Get("handleSignals").ToBoolean();
  options.directory = GetString(given, "directory");
  options.started_at = GetString(given, "startedAt");
  const Napi::Object process = info.Env().Global().Get("process").As<Napi::Object>();
  options.node_version = GetString(process, "version");
  options.exec_path = GetString(process, "execPath");
  return options;
}

void Start(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject())
    throw Napi::TypeError::New(info.Env(), "start: expected an options object");
  const ProfilerOptions options = OptionsFrom(info);
  if (options.sampler.signal == 0)
    throw Napi::TypeError::New(info.Env(), "start: a signal that cannot be used");
  const Status status = Profiler::Get().Start(options);
  if (!status.ok()) throw ToError(info.Env(), status);
}

Napi::Value Stop(const Napi::CallbackInfo& info) {
  // Stopping itself takes a few milliseconds (drain and join); decoding is what takes long.
  const uint64_t max_memory = MaxMemory(info[0]);
  return DecodeWorker::Queue(info.Env(),
                             [max_memory](DecodeWorker::Keep* keep, Recording* recording) {
                               FinishedRecording finished;
                               Status status = Profiler::Get().Stop(&finished);
                               if (!status.ok()) return status;
                               status = ReadLog(finished.log->file(), recording, max_memory);
                               if (!finished.warning.empty())
                                 recording->stats.warnings.push_back(finished.warning);
                               *keep = std::move(finished.log);
                               return status;
                             });
}

// What has been sampled until now.
Napi::Value Snapshot(const Napi::CallbackInfo& info) {
  const uint64_t max_memory = MaxMemory(info[0]);
  return DecodeWorker::Queue(info.Env(), [max_memory](DecodeWorker::Keep* keep,
                                                      Recording* recording) {
    constexpr uint64_t kTimeoutNs = 500'000'000;  // a drain that takes longer is behind with all
    std::shared_ptr<LogWriter> log;
    const Status status = Profiler::Get().Catch(kTimeoutNs, &log);
    if (!status.ok()) return status;
    *keep = log;
    return ReadLog(log->file(), recording, max_memory);
  });
}

// mark(name, detail): false when nothing records.
Napi::Value Mark(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString())
    throw Napi::TypeError::New(info.Env(), "mark: expected a name and a detail");
  return Napi::Boolean::New(info.Env(),
                            Profiler::Get().Mark(info[0].As<Napi::String>().Utf8Value(),
                                                 info[1].As<Napi::String>().Utf8Value()));
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  ProfilerStats stats;
  const Status status = Profiler::Get().Stats(&stats);
  if (!status.ok()) throw ToError(info.Env(), status);
  return ToJs(info.Env(), stats);
}

Napi::Value Pause(const Napi::CallbackInfo& info) {
  bool changed = false;
  const Status status = Profiler::Get().Pause(&changed);
  if (!status.ok()) throw ToError(info.Env(), status);
  return Napi::Boolean::New(info.Env(), changed);
}

Napi::Value Resume(const Napi::CallbackInfo& info) {
  bool changed = false;
  const Status status = Profiler::Get().Resume(&changed);
  if (!status.ok()) throw ToError(info.Env(), status);
  return Napi::Boolean::New(info.Env(), changed);
}

void SetInterval(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber())
    throw Napi::TypeError::New(info.Env(), "setInterval: expected a number of nanoseconds");
  const Status status =
      Profiler::Get().SetInterval(static_cast<uint64_t>(info[0].ToNumber().DoubleValue()));
  if (!status.ok()) throw ToError(info.Env(), status);
}

Napi::Value TimerProblem(const Napi::CallbackInfo& info) {
  if (!info[0].IsString())
    throw Napi::TypeError::New(info.Env(), "timerProblem: expected the name of an engine");
  const TimerEngine engine = EngineByName(info[0].As<Napi::String>().Utf8Value());
  return Napi::String::New(info.Env(), SampleTimers::Check(engine).message());
}

// What JavaScript cannot ask the kernel for itself.
Napi::Value MachineFacts(const Napi::CallbackInfo& info) {
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("kernelTickNs", static_cast<double>(KernelTickNs()));
#ifdef AT_MINSIGSTKSZ
  facts.Set("signalFrameBytes", static_cast<double>(getauxval(AT_MINSIGSTKSZ)));
#endif
  facts.Set("pageBytes", static_cast<double>(getauxval(AT_PAGESZ)));
  return facts;
}

Napi::Value IsRunning(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Profiler::Get().IsRunning());
}

Napi::Value StartedAt(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Profiler::Get().StartedAt());
}

Napi::Value ElapsedNs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Profiler::Get().ElapsedNs()));
}

Napi::Value RetireEnded(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Profiler::Get().RetireEnded());
}

Napi::Value RegisterThread(const Napi::CallbackInfo& info) {
  if (!info[0].IsString())
    throw Napi::TypeError::New(info.Env(), "registerThread: expected a name");
  return Napi::Boolean::New(
      info.Env(), Profiler::Get().RegisterCurrentThread(info[0].As<Napi::String>().Utf8Value()));
}

Napi::Value LeaveOutThread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Profiler::Get().LeaveOutCurrentThread());
}

Napi::Value ReadRecording(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "readRecording: expected a path");
  LogRange range;
  if (info[2].IsNumber() && info[3].IsNumber()) {
    range = {static_cast<uint64_t>(info[2].As<Napi::Number>().DoubleValue()),
             static_cast<uint64_t>(info[3].As<Napi::Number>().DoubleValue())};
  }
  return DecodeWorker::Queue(
      info.Env(), [path = info[0].As<Napi::String>().Utf8Value(), max_memory = MaxMemory(info[1]),
                   range](DecodeWorker::Keep*, Recording* recording) {
        return ReadLog(LogPathOf(path), recording, max_memory, range);
      });
}

Napi::Value Recover(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "recover: expected a folder");
  return RecoverWorker::Queue(info.Env(), info[0].As<Napi::String>().Utf8Value());
}

Napi::Value ProcessStateOf(const Napi::CallbackInfo& info) {
  if (!info[0].IsString())
    throw Napi::TypeError::New(info.Env(), "processState: expected a folder");
  static constexpr const char* kNames[] = {"alive", "dead", "unknown"};
  const ProcessState state = StateOfRecording(info[0].As<Napi::String>().Utf8Value());
  return Napi::String::New(info.Env(), kNames[static_cast<size_t>(state)]);
}

// Of the running recording; with a folder, of the region there.
Napi::Value Dump(const Napi::CallbackInfo& info) {
  std::string text;
  const Status status = info[0].IsString()
                            ? DumpRecording(info[0].As<Napi::String>().Utf8Value(), &text)
                            : Profiler::Get().Dump(&text);
  if (!status.ok()) throw ToError(info.Env(), status);
  return Napi::String::New(info.Env(), text);
}

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("start", Napi::Function::New(env, Start, "start"));
  exports.Set("stop", Napi::Function::New(env, Stop, "stop"));
  exports.Set("stats", Napi::Function::New(env, Stats, "stats"));
  exports.Set("timerProblem", Napi::Function::New(env, TimerProblem, "timerProblem"));
  exports.Set("pause", Napi::Function::New(env, Pause, "pause"));
  exports.Set("resume", Napi::Function::New(env, Resume, "resume"));
  exports.Set("setInterval", Napi::Function::New(env, SetInterval, "setInterval"));
  exports.Set("snapshot", Napi::Function::New(env, Snapshot, "snapshot"));
  exports.Set("subscribe", Napi::Function::New(env, Subscribe, "subscribe"));
  exports.Set("mark", Napi::Function::New(env, Mark, "mark"));
  exports.Set("machineFacts", Napi::Function::New(env, MachineFacts, "machineFacts"));
  exports.Set("isRunning", Napi::Function::New(env, IsRunning, "isRunning"));
  exports.Set("startedAt", Napi::Function::New(env, StartedAt, "startedAt"));
  exports.Set("elapsedNs", Napi::Function::New(env, ElapsedNs, "elapsedNs"));
  exports.Set("retireEnded", Napi::Function::New(env, RetireEnded, "retireEnded"));
  exports.Set("registerThread", Napi::Function::New(env, RegisterThread, "registerThread"));
  exports.Set("leaveOutThread", Napi::Function::New(env, LeaveOutThread, "leaveOutThread"));
  exports.Set("readRecording", Napi::Function::New(env, ReadRecording, "readRecording"));
  exports.Set("dump", Napi::Function::New(env, Dump, "dump"));
  exports.Set("processState", Napi::Function::New(env, ProcessStateOf, "processState"));
  exports.Set("recover", Napi::Function::New(env, Recover, "recover"));
  AddBlockFunctions(env, exports);
  AddCommandFunctions(env, exports);
  // An isolate that goes takes its callbacks' registration with it; ours must not be called for it
  // again.
  env.AddCleanupHook([] { RemoveGcHook(); });
  return exports;
}

}  // namespace spprof

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) {
  return spprof::Init(env, exports);
}
NODE_API_MODULE(spprof, InitModule)
