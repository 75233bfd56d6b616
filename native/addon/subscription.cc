#include "addon/subscription.h"

#include <memory>
#include <utility>
#include <variant>

#include "addon/to_js.h"
#include "session/live_stream.h"

namespace spprof {

namespace {

struct End {};
using Event = std::variant<LiveBatch, ProfilerStats, End>;

class Subscription {
 public:
  static void Tell(Napi::Env env, Napi::Function tell, Subscription* subscription, Event* event);
  using Function = Napi::TypedThreadSafeFunction<Subscription, Event, Tell>;

  Subscription(Napi::Env env, Napi::Function tell)
      : env_(env),
        function_(
            Function::New(env, tell, "spprof", 0, 1, this, Finalize, static_cast<void*>(nullptr))) {
    function_.Unref(env);
    // After the thread-safe function's own, and so run before it: when an environment ends, the
    // stream's thread must be gone before what it calls.
    napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
  }

  Status Start(bool wants_samples);
  void Close() {
    if (stream_ != nullptr) stream_->Stop();
  }
  void Finish() {
    if (stream_ != nullptr) stream_->Finish();
  }
  void Ref(bool is_wanted) {
    if (is_over_) return;
    if (is_wanted) {
      function_.Ref(env_);
    } else {
      function_.Unref(env_);
    }
  }
  // Nothing could be started.
  void Abandon() {
    is_over_ = true;
    function_.Release();
  }

  std::shared_ptr<Subscription> self;  // until the thread-safe function is finalized

 private:
  static void OnEnvironmentEnd(void* data) {
    auto* subscription = static_cast<Subscription*>(data);
    subscription->is_over_ = true;
    subscription->Close();
  }
  static void Finalize(Napi::Env, void*, Subscription* subscription);
  bool Send(Event event);

  Napi::Env env_;
  Function function_;
  std::unique_ptr<LiveStream> stream_;
  bool is_over_ = false;  // of the JavaScript thread
};

Status Subscription::Start(bool wants_samples) {
  LiveStream::Listener listener;
  if (wants_samples)
    listener.on_batch = [this](LiveBatch&& batch) { return Send(Event(std::move(batch))); };
  listener.on_stats = [this](const ProfilerStats& stats) { return Send(Event(stats)); };
  listener.on_end = [this] {
    Send(Event(End{}));
    function_.Release();
  };
  return LiveStream::Start(std::move(listener), &stream_);
}

bool Subscription::Send(Event event) {
  auto own = std::make_unique<Event>(std::move(event));
  if (function_.NonBlockingCall(own.get()) != napi_ok) return false;
  static_cast<void>(own.release());  // Tell's now
  return true;
}

// On the JavaScript thread; without an environment when that is ending.
void Subscription::Tell(Napi::Env env, Napi::Function tell, Subscription* subscription,
                        Event* event) {
  const std::unique_ptr<Event> own(event);
  if (env == nullptr || tell.IsEmpty() || subscription->is_over_) return;
  const Napi::HandleScope scope(env);
  if (const auto* batch = std::get_if<LiveBatch>(own.get()); batch != nullptr) {
    const Napi::Object object = ToJs(env, *batch);
    // The next one is decoded while this one is dealt with.
    subscription->stream_->Acknowledge();
    tell.Call({Napi::String::New(env, "samples"), object});
  } else if (const auto* stats = std::get_if<ProfilerStats>(own.get()); stats != nullptr) {
    tell.Call({Napi::String::New(env, "stats"), ToJs(env, *stats)});
  } else {
    subscription->is_over_ = true;
    tell.Call({Napi::String::New(env, "end")});
  }
}

void Subscription::Finalize(Napi::Env env, void*, Subscription* subscription) {
  subscription->is_over_ = true;
  subscription->stream_.reset();  // and the log with it, whenever JavaScript lets the handle go
  napi_remove_env_cleanup_hook(env, OnEnvironmentEnd, subscription);
  subscription->self.reset();  // the last of it, unless JavaScript still holds the handle
}

}  // namespace

Napi::Value Subscribe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsFunction()) throw Napi::TypeError::New(env, "subscribe: expected a function");
  auto subscription = std::make_shared<Subscription>(env, info[1].As<Napi::Function>());
  subscription->self = subscription;
  const Status status = subscription->Start(info[0].ToBoolean());
  if (!status.ok()) {
    subscription->Abandon();
    throw ToError(env, status);
  }
  Napi::Object handle = Napi::Object::New(env);
  const auto method = [&](const char* name, auto action) {
    handle.Set(
        name, Napi::Function::New(
                  env, [subscription, action](const Napi::CallbackInfo&) { action(*subscription); },
                  name));
  };
  method("ref", [](Subscription& own) { own.Ref(true); });
  method("unref", [](Subscription& own) { own.Ref(false); });
  method("finish", [](Subscription& own) { own.Finish(); });
  method("close", [](Subscription& own) { own.Close(); });
  return handle;
}

}  // namespace spprof
