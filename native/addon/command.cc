#include "addon/command.h"

#include "addon/to_js.h"
#include "platform/signal_relay.h"

namespace spprof {

namespace {

void StartCatching(const Napi::CallbackInfo& info) {
  const Status status = CatchSignals();
  if (!status.ok()) throw ToError(info.Env(), status);
}

void StartRelay(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber())
    throw Napi::TypeError::New(info.Env(), "relaySignals: expected a process id");
  const Status status = RelaySignalsTo(info[0].As<Napi::Number>().Int32Value());
  if (!status.ok()) throw ToError(info.Env(), status);
}

Napi::Value CaughtSignalsToJs(const Napi::CallbackInfo& info) {
  Napi::Object counts = Napi::Object::New(info.Env());
  for (int signal = 1; signal <= 64; signal++)
    if (const uint32_t count = CaughtSignals(signal); count > 0)
      counts.Set(static_cast<uint32_t>(signal), Napi::Number::New(info.Env(), count));
  return counts;
}

Napi::Value ProgramEndToJs(const Napi::CallbackInfo& info) {
  const ProgramEnd end = RelayedProgramEnd();
  if (!end.has_ended) return info.Env().Null();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("code", Napi::Number::New(info.Env(), end.exit_code));
  result.Set("signal", Napi::Number::New(info.Env(), end.signal));
  result.Set("cpuNs", end.cpu_ns < 0
                          ? info.Env().Null()
                          : Napi::Number::New(info.Env(), static_cast<double>(end.cpu_ns)));
  return result;
}

void EndRelay(const Napi::CallbackInfo&) { ReleaseSignals(); }

}  // namespace

void AddCommandFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("catchSignals", Napi::Function::New(env, StartCatching, "catchSignals"));
  exports.Set("relaySignals", Napi::Function::New(env, StartRelay, "relaySignals"));
  exports.Set("caughtSignals", Napi::Function::New(env, CaughtSignalsToJs, "caughtSignals"));
  exports.Set("programEnd", Napi::Function::New(env, ProgramEndToJs, "programEnd"));
  exports.Set("releaseSignals", Napi::Function::New(env, EndRelay, "releaseSignals"));
}

}  // namespace spprof
