#include "blocks/native_entry.h"

#include <exception>

#include "blocks/thread_blocks.h"

namespace spprof {

namespace {

// Nothing is thrown into the program: a block that cannot be made is not timed.
const spprof_block_v1* FindBlockAt(const char* profiler, const char* track, const char* name,
                                   const char* file, uint32_t line) {
  try {
    return BlockTables::Get().Register(profiler, track, name, {file, line});
  } catch (const std::exception&) {
    return nullptr;
  }
}

const spprof_block_v1* FindBlock(const char* profiler, const char* track, const char* name) {
  return FindBlockAt(profiler, track, name, "", 0);
}

ThreadBlocks* Own() {
  try {
    return ThreadBlocks::Current();
  } catch (const std::exception&) {
    return nullptr;
  }
}

void StartBlock(const spprof_block_v1* block) {
  ThreadBlocks* thread = Own();
  if (thread != nullptr) thread->Start(*static_cast<const Block*>(block));
}

void StopBlock(const spprof_block_v1* block) {
  ThreadBlocks* thread = Own();
  if (thread != nullptr) thread->Stop(*static_cast<const Block*>(block));
}

constexpr spprof_blocks_table_v1 kTable = {sizeof(spprof_blocks_table_v1), FindBlock, StartBlock,
                                           StopBlock, FindBlockAt};

}  // namespace

const spprof_blocks_table_v1* NativeEntry() { return &kTable; }

}  // namespace spprof
