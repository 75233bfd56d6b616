#include "addon/blocks.h"

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "blocks/native_entry.h"
#include "blocks/thread_blocks.h"

// What include/spprof/blocks.h looks for.
extern "C" __attribute__((visibility("default"))) const spprof_blocks_table_v1* spprof_blocks_v1() {
  return spprof::NativeEntry();
}

namespace spprof {

namespace {

// What an environment has in the tables of blocks, until it ends.
struct Environment {
  std::vector<Word*> copies;  // of tracks' is_enabled, in array buffers of JavaScript
  std::vector<Napi::Reference<Napi::Uint32Array>> arrays;  // that keep them alive
};

struct Arguments {
  const Block* block = nullptr;
  double second = 0;
};

// (id, number). Nothing is thrown: lib/blocks/blocks.js calls with what blockFind has given it.
Arguments Read(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2];
  Arguments arguments;
  uint32_t id = 0;
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok &&
      napi_get_value_uint32(env, values[0], &id) == napi_ok &&
      napi_get_value_double(env, values[1], &arguments.second) == napi_ok) {
    arguments.block = BlockTables::Find(id);
  }
  return arguments;
}

napi_value Start(napi_env env, napi_callback_info info) {
  const Arguments arguments = Read(env, info);
  ThreadBlocks* thread = ThreadBlocks::Current();
  if (arguments.block != nullptr && thread != nullptr)
    thread->Start(*arguments.block, static_cast<uint32_t>(arguments.second));
  return nullptr;
}

napi_value Stop(napi_env env, napi_callback_info info) {
  const Arguments arguments = Read(env, info);
  ThreadBlocks* thread = ThreadBlocks::Current();
  if (arguments.block != nullptr && thread != nullptr)
    thread->Stop(*arguments.block, static_cast<uint32_t>(arguments.second));
  return nullptr;
}

// Ticks since the clock's base: they stay below 2^53 for weeks of up-time and more.
napi_value Suspend(napi_env env, napi_callback_info info) {
  const Arguments arguments = Read(env, info);
  ThreadBlocks* thread = ThreadBlocks::Current();
  uint64_t started = 0;
  if (arguments.block != nullptr && thread != nullptr)
    started = thread->Suspend(*arguments.block, static_cast<uint32_t>(arguments.second));
  napi_value result = nullptr;
  napi_create_double(env, started == 0 ? -1 : static_cast<double>(started - TickClock::Base()),
                     &result);
  return result;
}

napi_value Finish(napi_env env, napi_callback_info info) {
  const Arguments arguments = Read(env, info);
  ThreadBlocks* thread = ThreadBlocks::Current();
  if (arguments.block != nullptr && thread != nullptr && arguments.second >= 0) {
    thread->Finish(*arguments.block, TickClock::Base() + static_cast<uint64_t>(arguments.second));
  }
  return nullptr;
}

std::string Text(const Napi::CallbackInfo& info, size_t i) {
  if (!info[i].IsString()) throw Napi::TypeError::New(info.Env(), "blocks: expected a string");
  return info[i].As<Napi::String>().Utf8Value();
}

// blockFind(profiler, track, name, file, line): its id; 0: there are too many.
Napi::Value Find(const Napi::CallbackInfo& info) {
  const BlockPlace place{Text(info, 3), info[4].ToNumber().Uint32Value()};
  const Block* block =
      BlockTables::Get().Register(Text(info, 0), Text(info, 1), Text(info, 2), place);
  return Napi::Number::New(info.Env(), block != nullptr ? block->id : 0);
}

// blockTrack(profiler, track, copy)
void Track(const Napi::CallbackInfo& info) {
  if (!info[2].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "blocks: expected an array");
  auto* environment = static_cast<Environment*>(info.Data());
  auto array = info[2].As<Napi::Uint32Array>();
  static_assert(sizeof(Word) == sizeof(uint32_t));
  auto* copy = reinterpret_cast<Word*>(array.Data());
  environment->arrays.push_back(Napi::Reference<Napi::Uint32Array>::New(array, 1));
  environment->copies.push_back(copy);
  BlockTables::Get().AddCopy(Text(info, 0), Text(info, 1), copy);
}

void Enable(const Napi::CallbackInfo& info) {
  BlockTables::Get().Enable(Text(info, 0), Text(info, 1), info[2].ToBoolean());
}

void EnableAll(const Napi::CallbackInfo& info) {
  BlockTables::Get().EnableAll(info[0].ToBoolean());
}

Napi::Value AreEnabled(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), BlockTables::Get().IsEnabled());
}

void Reset(const Napi::CallbackInfo& info) { BlockTables::Get().Reset(Text(info, 0)); }

void NameThread(const Napi::CallbackInfo& info) {
  ThreadBlocks* thread = ThreadBlocks::Current();
  if (thread != nullptr) BlockTables::Get().NameThread(thread, Text(info, 0));
}

Napi::Value Results(const Napi::CallbackInfo& info) {
  const bool per_thread = info[1].ToBoolean();
  const std::vector<BlockRow> rows = BlockTables::Get().Results(Text(info, 0), per_thread);
  Napi::Array array = Napi::Array::New(info.Env(), rows.size());
  for (uint32_t i = 0; i < rows.size(); i++) {
    Napi::HandleScope scope(info.Env());
    const BlockRow& row = rows[i];
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("track", row.block->track->name);
    object.Set("block", row.block->name);
    object.Set("file", row.place.file);
    object.Set("line", row.place.line);
    if (per_thread) {
      object.Set("thread", row.thread_name);
      object.Set("tid", Napi::Number::New(info.Env(), row.tid));
      object.Set("hasEnded", row.has_ended);
    }
    object.Set("hitCount", Napi::Number::New(info.Env(), static_cast<double>(row.hits)));
    object.Set("totalNs", row.total_ns);
    object.Set("minNs", row.min_ns);
    object.Set("maxNs", row.max_ns);
    object.Set("meanNs", row.mean_ns);
    object.Set("p50Ns", row.p50_ns);
    object.Set("p99Ns", row.p99_ns);
    array.Set(i, object);
  }
  return array;
}

Napi::Value Problems(const Napi::CallbackInfo& info) {
  const BlockProblems problems = BlockTables::Get().Problems();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("unbalancedStops", static_cast<double>(problems.unbalanced_stops));
  object.Set("open", static_cast<double>(problems.open));
  object.Set("lost", static_cast<double>(problems.lost));
  return object;
}

void SetRaw(Napi::Object exports, const char* name, napi_callback function) {
  const napi_env env = exports.Env();
  napi_value value = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value) == napi_ok)
    exports.Set(name, value);
}

void Forget(void* data) {
  std::unique_ptr<Environment> environment(static_cast<Environment*>(data));
  for (Word* copy : environment->copies) BlockTables::Get().ForgetCopy(copy);
  // The references go with the environment.
  for (auto& array : environment->arrays) array.SuppressDestruct();
}

}  // namespace

void AddBlockFunctions(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment;
  napi_add_env_cleanup_hook(env, Forget, environment);
  SetRaw(exports, "blockStart", Start);
  SetRaw(exports, "blockStop", Stop);
  SetRaw(exports, "blockSuspend", Suspend);
  SetRaw(exports, "blockFinish", Finish);
  exports.Set("blockFind", Napi::Function::New(env, Find, "blockFind"));
  exports.Set("blockTrack", Napi::Function::New(env, Track, "blockTrack", environment));
  exports.Set("blockEnable", Napi::Function::New(env, Enable, "blockEnable"));
  exports.Set("blockEnableAll", Napi::Function::New(env, EnableAll, "blockEnableAll"));
  exports.Set("blocksEnabled", Napi::Function::New(env, AreEnabled, "blocksEnabled"));
  exports.Set("blockReset", Napi::Function::New(env, Reset, "blockReset"));
  exports.Set("blockThread", Napi::Function::New(env, NameThread, "blockThread"));
  exports.Set("blockResults", Napi::Function::New(env, Results, "blockResults"));
  exports.Set("blockProblems", Napi::Function::New(env, Problems, "blockProblems"));
}

}  // namespace spprof
