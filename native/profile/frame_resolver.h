// Frame words to entries of the frames table. All native addresses of a log are looked up together
// when it is made. Context: any thread, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "profile/recorded_log.h"
#include "profile/source_positions.h"
#include "profile/stack_tree.h"

namespace spprof {

// Whether `name` (without `Builtins_`) is how V8's interpreter runs a function, and not something
// that the function called: the entry trampoline or a bytecode's handler.
bool IsInterpreterBuiltinName(const std::string& name);

class FrameResolver {
 public:
  // `log` must outlive it.
  explicit FrameResolver(const RecordedLog& log);

  // Index of `frame`, which is of a stack of `thread`.
  uint32_t Resolve(const RecordedThread& thread, Frame frame);

  bool IsInterpreterBuiltin(uint32_t frame_index) const;

  uint32_t TruncatedFrame() { return Special("(truncated)", FrameKind::kTruncated); }
  uint32_t LostFrame() { return Special("(lost)", FrameKind::kUnknownJs); }

  std::vector<RecordingFrame> TakeFrames() { return std::move(table_).Take(); }

 private:
  uint32_t Special(const char* name, FrameKind kind);
  uint32_t ResolveNative(FrameType type, uint64_t address);
  uint32_t ResolveJs(const RecordedThread& thread, Frame frame);
  uint32_t MakeJs(const RecordedThread& thread, Frame frame);
  std::optional<SourcePosition> PositionOf(const RecordedScript& script, int32_t offset);
  std::optional<SourcePosition> SampledPosition(const RecordedScript& script,
                                                const RecordedFunction& function, Frame frame);

  FrameTable table_;
  Symbolization symbols_;
  SourcePositions positions_;
  std::unordered_map<uint64_t, uint32_t> symbol_of_address_;
  // Frame indexes of symbols, by (symbol, whether the walker knew it for a builtin); UINT32_MAX:
  // not made yet.
  std::vector<uint32_t> frame_of_symbol_[2];
  // Of the thread that was resolved last.
  const RecordedThread* js_thread_ = nullptr;
  std::unordered_map<uint64_t, uint32_t> js_frames_;
};

}  // namespace spprof
