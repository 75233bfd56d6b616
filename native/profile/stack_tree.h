// Two tables that give equal things one number: frames, and stacks as nodes of a tree.
// Context: any thread, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "profile/recording.h"

namespace spprof {

// Frames that are equal in name, URL, line, column, sampled place, kind, tier, inlining and module
// share an index; where the line is not known, also the start offset must be equal, so that two
// anonymous functions of one file stay apart.
class InternedFrames {
 public:
  uint32_t Intern(const RecordingFrame& frame);
  std::vector<RecordingFrame> Take() && { return std::move(frames_); }
  const std::vector<RecordingFrame>& frames() const { return frames_; }

 private:
  std::vector<RecordingFrame> frames_;
  std::unordered_map<std::string, uint32_t> index_;
};

// Node 0 is the root. A child's number is greater than its parent's.
class StackTree {
 public:
  StackTree() : parents_{0}, frames_{0} {}

  // The node for `frame` called from `parent`.
  uint32_t Child(uint32_t parent, uint32_t frame) {
    const uint64_t key = uint64_t{parent} << 32 | frame;
    const auto [entry, is_new] = index_.try_emplace(key, static_cast<uint32_t>(parents_.size()));
    if (is_new) {
      parents_.push_back(parent);
      frames_.push_back(frame);
    }
    return entry->second;
  }

  uint32_t ParentOf(uint32_t node) const { return parents_[node]; }
  uint32_t FrameOf(uint32_t node) const { return frames_[node]; }

  std::vector<uint32_t> TakeParents() { return std::move(parents_); }
  std::vector<uint32_t> TakeFrames() { return std::move(frames_); }

 private:
  struct Hash {
    // MurmurHash3's finalizer: the keys' entropy is in a few low bits of each half.
    size_t operator()(uint64_t key) const {
      key = (key ^ key >> 33) * 0xff51afd7ed558ccd;
      key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53;
      return key ^ key >> 33;
    }
  };

  std::vector<uint32_t> parents_;
  std::vector<uint32_t> frames_;
  std::unordered_map<uint64_t, uint32_t, Hash> index_;
};

}  // namespace spprof
