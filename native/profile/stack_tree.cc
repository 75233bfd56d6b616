#include "profile/stack_tree.h"

namespace spprof {

uint32_t InternedFrames::Intern(const RecordingFrame& frame) {
  // Strings are separated by NUL: names and paths hold none, and two frames that a NUL in a name
  // makes alike are no harm.
  std::string key = frame.function_name;
  key.push_back('\0');
  key += frame.url;
  key.push_back('\0');
  key += frame.module;
  key.push_back('\0');
  const int32_t numbers[] = {frame.line,
                             frame.column,
                             frame.sampled_line,
                             frame.sampled_column,
                             frame.line == 0 ? frame.start_offset : -1,
                             static_cast<int32_t>(frame.kind),
                             static_cast<int32_t>(frame.tier),
                             frame.is_inlined ? 1 : 0};
  key.append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  const auto [entry, is_new] =
      index_.try_emplace(std::move(key), static_cast<uint32_t>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return entry->second;
}

}  // namespace spprof
