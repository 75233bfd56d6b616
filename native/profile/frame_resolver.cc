#include "profile/frame_resolver.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace spprof {
namespace {

constexpr uint32_t kNotMade = UINT32_MAX;

bool HasAddress(Frame frame) {
  const FrameType type = FrameTypeOf(frame);
  return type == FrameType::kNative || type == FrameType::kBuiltin;
}

FrameTier TierOf(Tier tier) {
  switch (tier) {
    case Tier::kInterpreted:
      return FrameTier::kInterpreted;
    case Tier::kBaseline:
      return FrameTier::kBaseline;
    case Tier::kMaglev:
      return FrameTier::kMaglev;
    case Tier::kTurbofan:
      return FrameTier::kTurbofan;
    case Tier::kOptimized:
      return FrameTier::kOptimized;
    case Tier::kUnknown:
      break;
  }
  return FrameTier::kNone;
}

// Where in its script a frame was; -1: not known. A place outside of the function is a misreading,
// and better none than a wrong one.
int32_t SampledOffset(const RecordedFunction& function, Frame frame) {
  if (FramePositionOf(frame) == kPositionAtEntry) return function.start_offset;
  const int64_t offset = int64_t{FramePositionOf(frame)} - 1;
  const bool is_inside = function.start_offset >= 0 && offset >= function.start_offset &&
                         offset <= function.end_offset;
  return is_inside ? static_cast<int32_t>(offset) : -1;
}

}  // namespace

bool IsInterpreterBuiltinName(const std::string& name) {
  constexpr std::string_view kHandler = "Handler";
  if (name == "InterpreterEntryTrampoline") return true;
  if (name.size() <= kHandler.size()) return false;
  if (name.compare(name.size() - kHandler.size(), kHandler.size(), kHandler) != 0) return false;
  // V8 also names a few promise callbacks so (AtomicsMutexAsyncUnlockResolveHandler); no bytecode
  // begins like them.
  return name.compare(0, 7, "Atomics") != 0;
}

void FrameResolver::Learn() {
  std::vector<uint64_t> addresses;
  for (const auto& thread : log_.threads()) {
    const std::vector<Frame>& frames = thread->frames;
    for (size_t& at = learned_frames_[thread.get()]; at < frames.size(); at++) {
      if (!HasAddress(frames[at])) continue;
      const uint64_t address = FrameAddressOf(frames[at]);
      if (symbol_of_address_.try_emplace(address, 0).second) addresses.push_back(address);
    }
  }
  if (addresses.empty()) return;
  Symbolization found = Symbolize(log_.modules(), addresses);
  const auto known = static_cast<uint32_t>(symbols_.size());
  for (size_t i = 0; i < addresses.size(); i++)
    symbol_of_address_[addresses[i]] = known + found.symbol_of[i];
  std::move(found.symbols.begin(), found.symbols.end(), std::back_inserter(symbols_));
  for (auto& frames : frame_of_symbol_) frames.resize(symbols_.size(), kNotMade);
}

void FrameResolver::Forget(const RecordedThread& thread) {
  learned_frames_.erase(&thread);
  if (js_thread_ != &thread) return;
  js_thread_ = nullptr;  // another may come to lie where it was
  js_frames_.clear();
}

uint32_t FrameResolver::Resolve(const RecordedThread& thread, Frame frame) {
  const FrameType type = FrameTypeOf(frame);
  switch (type) {
    case FrameType::kNative:
    case FrameType::kBuiltin:
      return ResolveNative(type, FrameAddressOf(frame));
    case FrameType::kJs:
      return ResolveJs(thread, frame);
    case FrameType::kTruncated:
      return TruncatedFrame();
    case FrameType::kGc:
      return Special("(garbage collector)", FrameKind::kGc);
    case FrameType::kRegExp:
      // The pattern cannot be told from the address; the function that runs it is the next frame.
      return Special("(regexp)", FrameKind::kJs);
    case FrameType::kWasm:
      return Special("(wasm)", FrameKind::kUnknownJs);
    case FrameType::kUnknownJs:
      break;
  }
  return Special("(js)", FrameKind::kUnknownJs);
}

bool FrameResolver::IsInterpreterBuiltin(uint32_t frame_index) const {
  const RecordingFrame& frame = table_.frames()[frame_index];
  return frame.kind == FrameKind::kBuiltin && IsInterpreterBuiltinName(frame.function_name);
}

uint32_t FrameResolver::Special(const char* name, FrameKind kind) {
  RecordingFrame frame;
  frame.function_name = name;
  frame.kind = kind;
  return table_.Intern(frame);
}

uint32_t FrameResolver::ResolveNative(FrameType type, uint64_t address) {
  const uint32_t symbol_index = symbol_of_address_.at(address);
  uint32_t& index = frame_of_symbol_[type == FrameType::kBuiltin ? 1 : 0][symbol_index];
  if (index == kNotMade) {
    const Symbol& symbol = symbols_[symbol_index];
    RecordingFrame frame;
    frame.function_name = symbol.name;
    frame.module = symbol.module;
    frame.kind =
        symbol.is_builtin || type == FrameType::kBuiltin ? FrameKind::kBuiltin : FrameKind::kNative;
    index = table_.Intern(frame);
  }
  return index;
}

uint32_t FrameResolver::ResolveJs(const RecordedThread& thread, Frame frame) {
  if (js_thread_ != &thread) {
    js_thread_ = &thread;
    js_frames_.clear();
  }
  const auto [entry, is_new] = js_frames_.try_emplace(frame, 0);
  if (is_new) entry->second = MakeJs(thread, frame);
  return entry->second;
}

// In the script's resource, from its file.
std::optional<LineAndColumn> FrameResolver::PositionOf(const RecordedScript& script,
                                                       int32_t offset) {
  if (offset < 0) return std::nullopt;
  const std::optional<LineAndColumn> found =
      positions_.Find(script.name, script.source_length, static_cast<uint32_t>(offset));
  if (!found.has_value()) return std::nullopt;
  // In 64 bits: the offsets are whatever the record says.
  const int64_t line = int64_t{found->line} + script.line_offset;
  const int64_t column = int64_t{found->column} + (found->line == 1 ? script.column_offset : 0);
  if (line <= 0 || line > INT32_MAX || column <= 0 || column > INT32_MAX) return std::nullopt;
  return LineAndColumn{static_cast<uint32_t>(line), static_cast<uint32_t>(column)};
}

// From the lines that were recorded with the function, which are those that ran; else from the
// file.
std::optional<LineAndColumn> FrameResolver::SampledPosition(const RecordedScript& script,
                                                            const RecordedFunction& function,
                                                            Frame frame) {
  const int32_t offset = SampledOffset(function, frame);
  if (offset < 0) return std::nullopt;
  if (function.line > 0) {
    const auto distance =
        FindInLines(function.line_lengths, static_cast<uint32_t>(offset - function.start_offset));
    if (distance.has_value()) {
      const auto line = static_cast<uint32_t>(function.line);
      const auto first_column = static_cast<uint32_t>(distance->lines == 0 ? function.column : 1);
      return LineAndColumn{line + distance->lines, first_column + distance->columns};
    }
  }
  return PositionOf(script, offset);
}

std::string FrameResolver::UrlOf(const RecordedThread& thread, const RecordedScript& script,
                                 int depth) {
  constexpr int kMaxDepth = 4;
  const auto found = thread.functions.find(script.origin_function);
  if (!script.name.empty() || found == thread.functions.end() || depth == kMaxDepth) {
    return script.name;
  }
  const RecordedFunction& function = found->second;
  std::string place = "<anonymous>";
  if (const auto of = thread.scripts.find(function.script_id); of != thread.scripts.end()) {
    const std::string url = UrlOf(thread, of->second, depth + 1);
    if (!url.empty()) place = url;
    const auto at =
        SampledPosition(of->second, function, MakeJsFrame(Tier::kUnknown, 0, script.origin_place));
    if (at.has_value()) place += ":" + std::to_string(at->line) + ":" + std::to_string(at->column);
  }
  return "eval at " + (function.name.empty() ? "<anonymous>" : function.name) + " (" + place + ")";
}

uint32_t FrameResolver::MakeJs(const RecordedThread& thread, Frame word) {
  const auto found = thread.functions.find(FrameFunctionOf(word));
  if (found == thread.functions.end()) return Special("(lost)", FrameKind::kUnknownJs);
  const RecordedFunction& function = found->second;
  RecordingFrame frame;
  frame.kind = FrameKind::kJs;
  frame.tier = TierOf(FrameTierOf(word));
  frame.is_inlined = IsInlinedFrame(word);
  frame.function_name = function.name;
  frame.script_id = function.script_id;
  frame.start_offset = function.start_offset;
  frame.line = function.line;
  frame.column = function.line == 0 ? 0 : function.column;
  const auto script = thread.scripts.find(function.script_id);
  if (script == thread.scripts.end()) return table_.Intern(frame);
  frame.url = UrlOf(thread, script->second);
  frame.source_length = script->second.source_length;
  if (frame.line == 0) {
    if (const auto start = PositionOf(script->second, frame.start_offset); start.has_value()) {
      frame.line = static_cast<int32_t>(start->line);
      frame.column = static_cast<int32_t>(start->column);
    }
  }
  if (const auto sampled = SampledPosition(script->second, function, word); sampled.has_value()) {
    frame.sampled_line = static_cast<int32_t>(sampled->line);
    frame.sampled_column = static_cast<int32_t>(sampled->column);
  }
  return table_.Intern(frame);
}

}  // namespace spprof
