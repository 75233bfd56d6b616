// Blocks of native code, in the tables of spprof (https://www.npmjs.com/package/spprof): named,
// timed sections, whose names appear in samples taken inside them. For addons and their threads.
// Plain C++17, nothing to link; where spprof is not loaded in the process all of it does nothing.
//
//   #include <spprof/blocks.h>
//
//   void Parse() {
//     SPPROF_BLOCK("checkout", "parse");   // from here to the end of the scope
//     …
//   }
//
// or with a block of one's own:
//
//   static spprof::NativeBlock block("checkout", "parse");
//   block.Start(); … block.Stop();         // on one thread; blocks may nest, recur and overlap
//
// Thread safety: all of it, from any thread. Not for signal handlers.
#ifndef SPPROF_BLOCKS_H_
#define SPPROF_BLOCKS_H_

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

#include <atomic>

extern "C" {

// A block, made by spprof and never freed.
struct spprof_block_v1 {
  const uint32_t* enabled;  // of its track: 0 not; changes at any time
};

// The functions of a loaded spprof: what `spprof_blocks_v1()` returns.
struct spprof_blocks_table_v1 {
  uint32_t size;  // of this struct; later versions append
  // UTF-8. Null: there are too many blocks.
  const struct spprof_block_v1* (*find)(const char* profiler, const char* track, const char* name);
  void (*start)(const struct spprof_block_v1* block);
  void (*stop)(const struct spprof_block_v1* block);
  // As `find`; notes where in the program the block is, if that is the first that it hears of it.
  const struct spprof_block_v1* (*find_at)(const char* profiler, const char* track,
                                           const char* name, const char* file, uint32_t line);
};

typedef const struct spprof_blocks_table_v1* (*spprof_blocks_v1_function)(void);

}  // extern "C"

namespace spprof {

// The loaded spprof's functions; null: none is loaded.
class NativeBlocks {
 public:
  static const spprof_blocks_table_v1* Get() {
    const spprof_blocks_table_v1* table = Found().load(std::memory_order_acquire);
    return table != nullptr ? table : Search();
  }

 private:
  static constexpr const char* kEntry = "spprof_blocks_v1";

  static std::atomic<const spprof_blocks_table_v1*>& Found() {
    static std::atomic<const spprof_blocks_table_v1*> found{nullptr};
    return found;
  }

  // Looking through all loaded libraries takes some microseconds. So it is done again only when a
  // library has been loaded since, and even that is asked less and less often. Threads that come
  // while another one looks, look too: none of their hits is lost.
  static const spprof_blocks_table_v1* Search() {
    static std::atomic<uint32_t> calls_in_vain{0};
    static std::atomic<uint64_t> searched{0};
    const uint32_t calls = calls_in_vain.load(std::memory_order_relaxed);
    if (calls >= 16 && calls % 1024 != 0) return InVain(&calls_in_vain);
    const uint64_t loads = CountLoads();
    if (loads != 0 && searched.load(std::memory_order_relaxed) == loads)
      return InVain(&calls_in_vain);
    const spprof_blocks_table_v1* table = Ask(dlsym(RTLD_DEFAULT, kEntry));
    if (table == nullptr) table = SearchLibraries();
    if (table == nullptr) {
      searched.store(loads, std::memory_order_relaxed);
      return InVain(&calls_in_vain);
    }
    Found().store(table, std::memory_order_release);
    return table;
  }

  static const spprof_blocks_table_v1* InVain(std::atomic<uint32_t>* calls) {
    calls->fetch_add(1, std::memory_order_relaxed);
    return Found().load(std::memory_order_acquire);  // somebody else may have found it meanwhile
  }

  static const spprof_blocks_table_v1* Ask(void* entry) {
    if (entry == nullptr) return nullptr;
    const spprof_blocks_table_v1* table =
        reinterpret_cast<spprof_blocks_v1_function>(reinterpret_cast<uintptr_t>(entry))();
    return table != nullptr && table->size >= offsetof(spprof_blocks_table_v1, find_at) ? table
                                                                                        : nullptr;
  }

  // Node loads addons without making their symbols known to others: each is asked by itself.
  static const spprof_blocks_table_v1* AskLibrary(const char* path) {
    if (path == nullptr || path[0] == '\0') return nullptr;
    void* library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) return nullptr;
    const spprof_blocks_table_v1* table = Ask(dlsym(library, kEntry));
    dlclose(library);
    return table;
  }

#if defined(__APPLE__)
  static uint64_t CountLoads() { return _dyld_image_count(); }
  static const spprof_blocks_table_v1* SearchLibraries() {
    const spprof_blocks_table_v1* table = nullptr;
    for (uint32_t i = _dyld_image_count(); i > 0 && table == nullptr; i--)
      table = AskLibrary(_dyld_get_image_name(i - 1));
    return table;
  }
#else
  static uint64_t CountLoads() {
    uint64_t loads = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* out) {
          *static_cast<uint64_t*>(out) = info->dlpi_adds;
          return 1;
        },
        &loads);
    return loads;
  }
  static const spprof_blocks_table_v1* SearchLibraries() {
    // By the loader's own list: inside dl_iterate_phdr its lock is held.
    void* program = dlopen(nullptr, RTLD_LAZY);
    if (program == nullptr) return nullptr;
    struct link_map* map = nullptr;
    const spprof_blocks_table_v1* table = nullptr;
    if (dlinfo(program, RTLD_DI_LINKMAP, &map) == 0) {
      for (; map != nullptr && table == nullptr; map = map->l_next) table = AskLibrary(map->l_name);
    }
    dlclose(program);
    return table;
  }
#endif
};

// A named, timed section; the same names are the same block, in JavaScript too. Meant to be static:
// the first use looks it up, every later one is a cached pointer. `profiler`: "" is the default
// one.
class NativeBlock {
 public:
  // `file` and `line`: where results say that the block is; by themselves the place of this call.
  constexpr NativeBlock(const char* track, const char* name, const char* profiler = "",
                        const char* file = __builtin_FILE(), uint32_t line = __builtin_LINE())
      : profiler_(profiler), track_(track), name_(name), file_(file), line_(line) {}
  NativeBlock(const NativeBlock&) = delete;
  NativeBlock& operator=(const NativeBlock&) = delete;

  // False: nothing is timed, and nothing has to be stopped.
  bool Start() {
    const spprof_block_v1* block = Find();
    if (block == nullptr || __atomic_load_n(block->enabled, __ATOMIC_RELAXED) == 0) return false;
    NativeBlocks::Get()->start(block);
    return true;
  }
  // The innermost start of this block on this thread.
  void Stop() {
    const spprof_block_v1* block = block_.load(std::memory_order_acquire);
    if (block != nullptr) NativeBlocks::Get()->stop(block);
  }

 private:
  const spprof_block_v1* Find() {
    const spprof_block_v1* block = block_.load(std::memory_order_acquire);
    if (block != nullptr) return block;
    const spprof_blocks_table_v1* table = NativeBlocks::Get();
    if (table == nullptr) return nullptr;
    const bool takes_places = table->size > offsetof(spprof_blocks_table_v1, find_at);
    block = takes_places ? table->find_at(profiler_, track_, name_, file_, line_)
                         : table->find(profiler_, track_, name_);
    block_.store(block, std::memory_order_release);
    return block;
  }

  const char* const profiler_;
  const char* const track_;
  const char* const name_;
  const char* const file_;
  const uint32_t line_;
  std::atomic<const spprof_block_v1*> block_{nullptr};
};

class BlockScope {
 public:
  explicit BlockScope(NativeBlock& block) : block_(block.Start() ? &block : nullptr) {}
  ~BlockScope() {
    if (block_ != nullptr) block_->Stop();
  }
  BlockScope(const BlockScope&) = delete;
  BlockScope& operator=(const BlockScope&) = delete;

 private:
  NativeBlock* const block_;
};

}  // namespace spprof

#define SPPROF_BLOCK_JOIN_(a, b) a##b
#define SPPROF_BLOCK_NAME_(prefix, line) SPPROF_BLOCK_JOIN_(prefix, line)
// The rest of the scope is a block.
#define SPPROF_BLOCK(track, name)                                                        \
  static ::spprof::NativeBlock SPPROF_BLOCK_NAME_(spprof_block_, __LINE__)(track, name); \
  const ::spprof::BlockScope SPPROF_BLOCK_NAME_(                                         \
      spprof_scope_, __LINE__)(SPPROF_BLOCK_NAME_(spprof_block_, __LINE__))

#endif  // SPPROF_BLOCKS_H_
