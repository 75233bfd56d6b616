#include "addon/decode_worker.h"

#include <sys/stat.h>

#include "addon/to_js.h"
#include "profile/recording_builder.h"
#include "session/profiler.h"

namespace spprof {

std::string LogPathOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) ? path + "/log" : path;
}

Napi::Value DecodeWorker::Queue(Napi::Env env, Work work) {
  auto* worker = new DecodeWorker(env, std::move(work));  // deletes itself
  const Napi::Promise promise = worker->deferred_.Promise();
  worker->AsyncWorker::Queue();
  return promise;
}

void DecodeWorker::Execute() {
  status_ = work_(&keep_, &recording_);
  if (!status_.ok()) SetError(status_.message());
}

void DecodeWorker::OnOK() { deferred_.Resolve(ToJs(Env(), recording_)); }
void DecodeWorker::OnError(const Napi::Error& error) {
  deferred_.Reject(status_.ok() ? error.Value() : ToError(Env(), status_).Value());
}

Napi::Value RecoverWorker::Queue(Napi::Env env, std::string folder) {
  auto* worker = new RecoverWorker(env, std::move(folder));  // deletes itself
  const Napi::Promise promise = worker->deferred_.Promise();
  worker->AsyncWorker::Queue();
  return promise;
}

void RecoverWorker::Execute() {
  status_ = RecoverRecording(folder_, &bytes_);
  if (!status_.ok()) SetError(status_.message());
}

void RecoverWorker::OnOK() {
  deferred_.Resolve(Napi::Number::New(Env(), static_cast<double>(bytes_)));
}
void RecoverWorker::OnError(const Napi::Error& error) {
  deferred_.Reject(status_.ok() ? error.Value() : ToError(Env(), status_).Value());
}

}  // namespace spprof
