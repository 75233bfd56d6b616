// Frame words to entries of the frames table. All native addresses of a log are looked up together:
// when this is made, and, of a log that grows, in Learn. Context: any thread, one at a time.
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
  explicit FrameResolver(const RecordedLog& log) : log_(log) { Learn(); }

  // Looks up the native addresses that the log has got since the last time (tens of milliseconds
  // for node's symbols, if there are any). Frames can be resolved that were there by then.
  void Learn();

  // Before it is gone.
  void Forget(const RecordedThread& thread);

  // Index of `frame`, which is of a stack of `thread`.
  uint32_t Resolve(const RecordedThread& thread, Frame frame);

  bool IsInterpreterBuiltin(uint32_t frame_index) const;

  uint32_t TruncatedFrame() { return Special("(truncated)", FrameKind::kTruncated); }
  uint32_t FoldedFrame() { return Special("(folded)", FrameKind::kUnknownJs); }
  // Of a thread off the CPU, which the kernel does not tell anything of.
  uint32_t PlaceUnknownFrame() {
    return Special("(off the CPU, place unknown)", FrameKind::kUnknownJs);
  }
  uint32_t LostFrame() { return Special("(lost)", FrameKind::kUnknownJs); }

  std::vector<RecordingFrame> TakeFrames() { return std::move(table_).Take(); }
  const std::vector<RecordingFrame>& frames() const { return table_.frames(); }

 private:
  uint32_t Special(const char* name, FrameKind kind);
  uint32_t ResolveNative(FrameType type, uint64_t address);
  uint32_t ResolveJs(const RecordedThread& thread, Frame frame);
  uint32_t MakeJs(const RecordedThread& thread, Frame frame);
  // Of a script; of eval's without one "eval at <function> (<url>:<line>:<column>)", as V8's stack
  // traces say it. `depth`: of evals within evals.
  std::string UrlOf(const RecordedThread& thread, const RecordedScript& script, int depth = 0);
  std::optional<LineAndColumn> PositionOf(const RecordedScript& script, int32_t offset);
  std::optional<LineAndColumn> SampledPosition(const RecordedScript& script,
                                               const RecordedFunction& function, Frame frame);

  const RecordedLog& log_;
  std::unordered_map<const RecordedThread*, size_t> learned_frames_;
  InternedFrames table_;
  std::vector<Symbol> symbols_;
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
