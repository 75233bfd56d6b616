#include "signal_safe/walk/block_labels.h"

#include <atomic>

#include "region/thread_table.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

// Pages of it that are never used are never there.
constexpr uint32_t kTableSize = 4 * kMaxLabelledThreads;
constinit Sequence g_words[kTableSize];
constinit ThreadTable g_threads(g_words, kTableSize);
constinit std::atomic<const Word*> g_label_words[kMaxLabelledThreads];
constinit std::atomic<const LabelDefinition*> g_definitions[kMaxLabels + 1];
constinit Word g_attached{0};

const Word* LabelWordOf(uint32_t tid) {
  if (g_attached.load(std::memory_order_relaxed) == 0) return nullptr;
  const uint32_t entry = g_threads.Find(tid);
  if (entry >= kMaxLabelledThreads) return nullptr;
  return g_label_words[entry].load(std::memory_order_acquire);
}

}  // namespace

bool AttachLabel(uint32_t tid, const Word* label) {
  for (uint32_t entry = 0; entry < kMaxLabelledThreads; entry++) {
    if (g_label_words[entry].load(std::memory_order_relaxed) != nullptr) continue;
    g_label_words[entry].store(label, std::memory_order_release);
    if (!g_threads.Insert(tid, entry)) {
      g_label_words[entry].store(nullptr, std::memory_order_relaxed);
      return false;
    }
    g_attached.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

void DetachLabel(uint32_t tid) {
  const uint32_t entry = g_threads.Find(tid);
  if (entry >= kMaxLabelledThreads) return;
  g_threads.Remove(tid);
  g_attached.fetch_sub(1, std::memory_order_relaxed);
  g_label_words[entry].store(nullptr, std::memory_order_release);
}

void DefineLabel(uint32_t label, const LabelDefinition* definition) {
  if (label <= kMaxLabels) g_definitions[label].store(definition, std::memory_order_release);
}

uint32_t LabelOf(uint32_t tid) {
  const Word* label = LabelWordOf(tid);
  return label != nullptr ? label->load(std::memory_order_relaxed) : 0;
}

uint32_t LabelOfSleeper(uint32_t tid) {
  uint32_t label;
  const Word* word = LabelWordOf(tid);
  if (word == nullptr || !GuardedLoad32(reinterpret_cast<uintptr_t>(word), &label)) return 0;
  return label <= kMaxLabels ? label : 0;
}

const LabelDefinition* DefinitionOf(uint32_t label) {
  return label <= kMaxLabels ? g_definitions[label].load(std::memory_order_acquire) : nullptr;
}

}  // namespace spprof
