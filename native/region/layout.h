// The shared region (docs/design/region-and-log.md 1): a mapped file, or anonymous memory, of
// fixed-width fields and offsets, that another process can read when this one has died. It grows by
// blocks of 64 slots; what is never used is a hole in the file.
//
//   0            4096                          4096 + block_size
//   ┌────────────┬─────────────────────────────┬─────────────
//   │RegionHeader│ block 0                     │ block 1 …
//   └────────────┴─────────────────────────────┴─────────────
//   block: │ 64 ThreadLaneSets of 4096 bytes │ 64 × rings: index ring 0..3, detail ring 0..1 │
//
// The reader trusts nothing: RegionMap::Open and CheckSlot check the header and every offset before
// use.
//
// RegionHeader
// clang-format off
// | word                    | writer  | reader          | release | acquire | becomes visible        | if weakened               |
// | block_count             | control | drain, recovery | Grow H1 | H2      | the block, zeroed      | garbage slots are read     |
// | accepting_registrations | control | control         | H3      | H3      |                        | a late thread is registered |
// | shutdown_requested      | any, signal | drain       | H4      | H4      | what the asker has done | the drain misses what the asker did before |
// | free_slots              | control | control         | acq_rel | acq_rel | next_free of the slot  | a slot is given twice      |
// | accepting_samples       | control | handlers        | seq_cst, with the count of handlers (handler.h): who stops the    |
// |                         |         |                 | sampling sees a handler at work, or the handler sees that         |
// clang-format on
#pragma once

#include "base/cache_line.h"
#include "region/lane.h"
#include "region/sequence.h"

namespace spprof {

inline constexpr uint64_t kRegionMagic = 0x31474552'50505053;  // "SPPPREG1"
inline constexpr uint32_t kRegionVersion = 4;
inline constexpr uint32_t kSlotsPerBlock = 64;
inline constexpr size_t kRegionPage = 4096;

enum class DropReason : uint32_t {
  kNotAccepting = 0,  // the recording is being stopped or paused
  kIndexFull,         // no room in the index lane
  kDetailFull,        // no room for the stack, or for a function it names
  kBusy,              // the thread was inside spprof's own code that must not be interrupted
  kSignalsBlocked,    // the program blocks SIGSEGV or SIGBUS here: a guarded load could not be
                      // recovered
  kNotSelected,  // threads: "js" and this one runs no JavaScript, or the program has left it out
  kOffCpu,  // a wall-clock tick on a thread that had not run; its CPU time is in the next sample
  kNotDue,  // a tick of the kernel's, or in place of one, between two samples of a longer interval;
            // its time is in the next sample. Or one of a timer that has been set anew since
  kNoStack,  // the program's signal stack has no room for the handler; its time is in the next one
  kCount,
};

// As in NativeStats::dropped.
const char* DropReasonName(DropReason reason);

// signals = written + sum of dropped.
struct Counters {
  Sequence signals;
  Sequence written;
  Sequence dropped[static_cast<size_t>(DropReason::kCount)];
  Sequence overruns;
  Sequence handler_total_ns;
  Sequence handler_max_ns;
};

// Why a recording ends: the first that asks for it. kLost: its region or its log is gone.
enum class ShutdownReason : uint32_t { kNone = 0, kStop, kDuration, kSignal, kExit, kLost };

struct RegionHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t pid;
  uint32_t max_threads;
  uint32_t index_ring_count;
  uint32_t index_ring_size;
  uint32_t detail_ring_count;
  uint32_t detail_ring_size;
  uint32_t reserved;
  alignas(kCacheLine) Word block_count;
  Word accepting_registrations;
  Word shutdown_requested;  // a ShutdownReason
  Word thread_count;        // slots in use
  Word threads_seen;        // ever registered
  Word threads_refused;     // beyond max_threads
  Sequence free_slots;      // Treiber stack: tag in the upper half, slot index + 1 in the lower
  Counters retired;         // of slots that have been released; control side only
  alignas(kCacheLine) Word accepting_samples;  // read by every handler, written twice a session
};
static_assert(sizeof(RegionHeader) <= kRegionPage);

// Asks for the end of the recording; true: nobody had. Context: any, signal.
inline bool RequestShutdown(Word* shutdown_requested, ShutdownReason reason) {
  uint32_t none = 0;
  return shutdown_requested->compare_exchange_strong(none, static_cast<uint32_t>(reason),
                                                     std::memory_order_acq_rel);  // H4
}

enum class SlotState : uint32_t { kFree = 0, kActive = 1, kRetired = 2 };

// One thread's slot.
//
// clang-format off
// | word       | writer  | reader          | order                   | what for                                              |
// | state      | control | drain, recovery | S1 release / S2 acquire | lanes and ids are set up before the slot is seen active |
// | generation | control | handler         | S3 release / S4 acquire | a signal of the slot's former thread is recognised     |
// | counters   | handler | any             | relaxed                 | they order nothing                                    |
// clang-format on
struct alignas(kCacheLine) ThreadLaneSet {
  Word state;
  Word generation;
  uint32_t slot;
  uint32_t tid;
  uint64_t
      start_ticks;  // of the thread, /proc/<pid>/task/<tid>/stat field 22: tells a reused tid apart
  Word next_free;
  Word kind;  // ThreadRecord::kind
  char name[32];

  alignas(kCacheLine) Word has_javascript;  // set by the handler: a JavaScript frame was seen here
  Counters counters;                        // written by the handler

  Lane index;
  Lane detail;
};
static_assert(sizeof(ThreadLaneSet) <= kRegionPage);

// Sizes that follow from the header's fields.
struct RegionGeometry {
  uint32_t index_ring_count = 4;
  uint32_t index_ring_size = 16 * 1024;
  uint32_t detail_ring_count = 2;
  uint32_t detail_ring_size = 64 * 1024;

  uint64_t RingBytesPerSlot() const {
    return uint64_t{index_ring_count} * index_ring_size +
           uint64_t{detail_ring_count} * detail_ring_size;
  }
  uint64_t BlockSize() const { return kSlotsPerBlock * (kRegionPage + RingBytesPerSlot()); }
  uint64_t BlockOffset(uint32_t block) const { return kRegionPage + block * BlockSize(); }
  uint64_t SlotOffset(uint32_t slot) const {
    return BlockOffset(slot / kSlotsPerBlock) + (slot % kSlotsPerBlock) * kRegionPage;
  }
  uint64_t RingsOffset(uint32_t slot) const {
    return BlockOffset(slot / kSlotsPerBlock) + kSlotsPerBlock * kRegionPage +
           (slot % kSlotsPerBlock) * RingBytesPerSlot();
  }
  // Powers of two, at least a page, at most 16 MiB; counts within what a lane holds.
  bool IsValid() const;
};

}  // namespace spprof
