// Which block a thread is in, for the handler: a label is a block and the blocks around it, a node
// of a tree; the thread that runs blocks keeps its present label in a word of its own, which is
// found here by thread id. Labels are defined once and never change, so that the handler copies
// their names into the log when it first meets them.
//
// clang-format off
// | word        | writer         | reader          | order             | what for                                             |
// | label       | its thread     | its handler     | relaxed           | one thread; a handler that interrupts sees the store |
// |             |                | drain           | guarded load      | while the thread sleeps; it is asked afterwards whether it has |
// | label words | control (lock) | handler, thread | release / acquire | the word exists before it is found                   |
// | definitions | control (lock) | handlers        | release / acquire | the text is there before the label is in any word    |
// clang-format on
//
// Context: signal (LabelOf, DefinitionOf) | drain (LabelOfSleeper) | any thread, one at a time (the
// rest).
#pragma once

#include <cstdint>

#include "region/sequence.h"

namespace spprof {

inline constexpr uint32_t kMaxLabels = 0xffff;  // SampleRecord holds one in sixteen bits
inline constexpr uint32_t kMaxLabelledThreads = 4096;

struct LabelDefinition {
  uint32_t parent;  // 0: none
  uint32_t profiler_length;
  uint32_t track_length;
  uint32_t name_length;
  const char* text;  // profiler, track and name, one after the other, UTF-8
};

// Lets the thread's handler find its label. False: there are too many threads; its samples have no
// label. Both are called on the thread itself: no handler of it is at work meanwhile.
bool AttachLabel(uint32_t tid, const Word* label);
void DetachLabel(uint32_t tid);
// `definition` is never freed.
void DefineLabel(uint32_t label, const LabelDefinition* definition);

// 0: none.
uint32_t LabelOf(uint32_t tid);
// Of a thread that sleeps, for others. Where it has woken up meanwhile it may be anything.
uint32_t LabelOfSleeper(uint32_t tid);
const LabelDefinition* DefinitionOf(uint32_t label);

}  // namespace spprof
