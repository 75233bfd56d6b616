// Promises for what is done on libuv's pool: decoding a recording, recovering one.
// Context: Queue on the JavaScript thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "log/log_writer.h"
#include "profile/recording.h"

namespace spprof {

// `<folder>/log` for a folder, else the path itself.
std::string LogPathOf(const std::string& path);

class DecodeWorker : public Napi::AsyncWorker {
 public:
  using Keep = std::shared_ptr<LogWriter>;  // what must live until the result has been made
  using Work = std::function<Status(Keep* keep, Recording* recording)>;

  // A promise for the recording that `work`, on the pool, makes.
  static Napi::Value Queue(Napi::Env env, Work work);

 protected:
  void Execute() override;
  void OnOK() override;
  void OnError(const Napi::Error& error) override;

 private:
  DecodeWorker(Napi::Env env, Work work)
      : AsyncWorker(env, "spprof"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Keep keep_;
  Recording recording_;
  Status status_;
};

class RecoverWorker : public Napi::AsyncWorker {
 public:
  // A promise for the number of bytes recovered.
  static Napi::Value Queue(Napi::Env env, std::string folder);

 protected:
  void Execute() override;
  void OnOK() override;
  void OnError(const Napi::Error& error) override;

 private:
  RecoverWorker(Napi::Env env, std::string folder)
      : AsyncWorker(env, "spprof"),
        deferred_(Napi::Promise::Deferred::New(env)),
        folder_(std::move(folder)) {}

  Napi::Promise::Deferred deferred_;
  std::string folder_;
  uint64_t bytes_ = 0;
  Status status_;
};

}  // namespace spprof
