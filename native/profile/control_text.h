// Texts in control records.
#pragma once

#include <string>

#include "base/utf.h"
#include "log/lane_stream.h"

namespace spprof {

// A name longer than this is damage, or somebody's attempt to make one record cost memory in each
// frame that refers to it.
inline constexpr uint32_t kMaxTextLength = 8192;

// UTF-8 of `length` bytes at `offset`. False: there are fewer, or `length` is more than
// `max_length`.
inline bool ReadControlText(const RecordView& record, size_t offset, uint32_t length,
                            std::string* out, uint32_t max_length = kMaxTextLength) {
  std::string_view bytes;
  if (length > max_length || !record.ReadText(offset, length, &bytes)) return false;
  *out = ValidUtf8(bytes);
  return true;
}

}  // namespace spprof
