// The records that a sampled thread writes into its lanes, and that the drain copies, unread, into
// the log. Every record starts with a RecordHeader, is a multiple of eight bytes long and
// little-endian. Identifiers of stacks, functions and scripts are unique within one thread's life
// (slot and generation) and never reused there.
//
// Context: any. Only plain data: the writer is the signal handler, the reader may be another
// process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spprof {

enum class RecordType : uint16_t {
  kInvalid = 0,
  // Index lane.
  kSample = 1,
  // Detail lane, written by the sampled thread.
  kStack = 2,
  kFunction = 3,
  kScript = 4,
  kBlock = 5,
  kMapPiece = 6,
  // Control chunks, written by the drain.
  kSession = 16,
  kModule = 17,
  kThread = 18,
  kStats = 19,
  kEnd = 20,
  kThreadTotals = 21,
  kMark = 22,
  kOffCpu = 23,
  kSleeperDetails = 24,
  kProcess = 25,
};

struct RecordHeader {
  RecordType type;
  uint16_t flags;  // meaning depends on the type
  uint32_t size;   // of the whole record, header included, a multiple of 8
};
static_assert(sizeof(RecordHeader) == 8);

// Bits of SampleRecord::state; the low eight bits hold V8's VM state, or kVmStateUnknown.
inline constexpr uint32_t kVmStateUnknown = 0xff;
inline constexpr uint32_t kStateInGc = 1u << 8;
inline constexpr uint32_t kStateTruncated = 1u << 9;  // more frames than maxFrames
inline constexpr uint32_t kStateIncomplete =
    1u << 10;  // the walk ended before the thread's first function
inline constexpr uint32_t kStateRunsJavaScript = 1u << 11;  // this thread runs JavaScript
// In logs of former versions: the answer of a thread that was asked, by a signal, where it sleeps.
// It stands for no time.
inline constexpr uint32_t kStateProbe = 1u << 12;
// The first sample after its thread's timer has been set anew: a pause, another interval.
inline constexpr uint32_t kStateRearmed = 1u << 14;
// Set by the reader, for a sample that stands for an OffCpuRecord: `cpu_ns` is its wall time.
inline constexpr uint32_t kStateOffCpu = 1u << 13;

// One sample: the index record, taken at `time_ns`. Stands for `cpu_ns` of CPU time; with the
// engines tick and itimer for a share of it and of its neighbours' (profile/sample_weights.h).
// flags: the label of the block that it was taken in (a BlockRecord), 0: none.
struct SampleRecord {
  RecordHeader header;
  uint64_t time_ns;  // CLOCK_MONOTONIC
  uint64_t cpu_ns;   // CPU time of the thread since its previous sample
  uint32_t stack_id;
  uint32_t overruns;  // intervals that have passed since the previous sample, beyond one
  uint32_t state;
  uint32_t handler_ns;  // duration of the walk and of the writing of the details
};
static_assert(sizeof(SampleRecord) == 40);

// A stack: `frame_count` frames follow, leaf first. flags: unused.
struct StackRecord {
  RecordHeader header;
  uint32_t stack_id;
  uint32_t frame_count;
};
static_assert(sizeof(StackRecord) == 16);

// A frame is one word. Bits 60..63: FrameType; the rest by type.
enum class FrameType : uint8_t {
  kNative = 0,  // bits 0..47: address of the instruction (the call for a caller, the sampled one
                // for the leaf)
  kJs = 1,      // bit 59: inlined into the next frame that is not; 56..58: Tier (the code's that it
                // runs in); 32..55: function id; 0..31: 1 + offset in the script of the sampled
                // position (the call for a caller), 0: unknown, or kPositionAtEntry
  kUnknownJs = 2,  // JavaScript whose function could not be read; bits 0..47: address
  kBuiltin = 3,    // V8's embedded builtins; bits 0..47: address
  kGc = 4,         // stands for a garbage collection where native frames are not kept
  kRegExp = 5,     // compiled code of a regular expression; bits 0..47: address
  kWasm = 7,       // WebAssembly whose function could not be told, or what only converts arguments;
                   // bits 0..47: address
  kTruncated = 6,  // stands for frames that are left out between the leaf's part of a long stack
                   // and the root's
};
enum class Tier : uint8_t {
  kUnknown = 0,
  kInterpreted = 1,
  kBaseline = 2,
  kMaglev = 3,
  kTurbofan = 4,
  kOptimized = 5
};

using Frame = uint64_t;
// The function has not come to its first bytecode: it is where it begins, which its definition
// says. V8's own positions have 30 bits.
inline constexpr uint32_t kPositionAtEntry = UINT32_MAX;
inline constexpr uint64_t kFrameAddressMask = (uint64_t{1} << 48) - 1;

// 0 is in the place of an address that does not fit: code is there only where a program has asked
// for addresses of 57 bits (mmap with a hint), and the vsyscall page. Cut off, it would name
// another function.
constexpr Frame MakeFrame(FrameType type, uint64_t address) {
  return static_cast<uint64_t>(type) << 60 | (address <= kFrameAddressMask ? address : 0);
}
constexpr Frame MakeJsFrame(Tier tier, uint32_t function_id, uint32_t position) {
  return static_cast<uint64_t>(FrameType::kJs) << 60 | static_cast<uint64_t>(tier) << 56 |
         static_cast<uint64_t>(function_id & 0xffffff) << 32 | position;
}
constexpr FrameType FrameTypeOf(Frame frame) { return static_cast<FrameType>(frame >> 60); }
constexpr uint64_t FrameAddressOf(Frame frame) { return frame & kFrameAddressMask; }
inline constexpr Frame kInlinedFrame = Frame{1} << 59;
constexpr bool IsInlinedFrame(Frame frame) { return (frame & kInlinedFrame) != 0; }
constexpr Tier FrameTierOf(Frame frame) { return static_cast<Tier>((frame >> 56) & 7); }
constexpr uint32_t FrameFunctionOf(Frame frame) { return (frame >> 32) & 0xffffff; }
constexpr uint32_t FramePositionOf(Frame frame) { return static_cast<uint32_t>(frame); }

// Characters in records are as V8 holds them; the reader converts.
inline constexpr uint16_t kTextTwoByte =
    1;  // RecordHeader::flags: UTF-16, else Latin-1 (control records: UTF-8)
inline constexpr uint16_t kTextShortened = 2;  // the name was longer than what is kept

// A JavaScript function. Followed by `name_length` characters of its name, and `lines_length`
// bytes: the lengths of its lines from start_offset on, in UTF-16 units with their line ends, as
// LEB128 (not of all lines when the function is long; the last may be cut).
struct FunctionRecord {
  RecordHeader header;
  uint32_t function_id;
  int32_t script_id;   // a ScriptRecord of the same thread, or -1 (a builtin)
  int32_t literal_id;  // function literal id within the script; WebAssembly: index in its module
  int32_t
      start_offset;  // of the function's first character in the script, UTF-16 units; -1 unknown
  int32_t end_offset;
  int32_t line;    // of the start, 1-based, with the script's own line offset applied; 0: not known
                   // to V8 yet
  int32_t column;  // 1-based
  uint32_t name_length;
  uint32_t lines_length;
  uint32_t reserved;
};
static_assert(sizeof(FunctionRecord) == 48);

// A script, `name_length` characters of its URL follow.
struct ScriptRecord {
  RecordHeader header;
  int32_t script_id;
  uint32_t source_length;  // UTF-16 units; 0 unknown
  int32_t line_offset;     // of the first line within the resource, as vm.Script was told
  int32_t column_offset;
  uint32_t name_length;
  uint32_t origin_function;  // what eval or new Function without a URL was called by: a
                             // FunctionRecord of the same thread; 0: not known, or no such script
  uint32_t origin_place;     // 1 + offset of the call in that function's script; 0: not known
  uint32_t reserved;
};
static_assert(sizeof(ScriptRecord) == 40);

// A piece of the source map that the text of a script holds (a `data:` URL in its last comment). Of
// code that was compiled in memory it is nowhere else. A piece at `offset` 0 begins the map, anew
// if need be. Followed by `piece_length` characters; 0 of them: the map is not kept.
struct MapPieceRecord {
  RecordHeader header;
  int32_t script_id;  // a ScriptRecord of the same thread, before this one
  uint32_t offset;    // characters, of the URL
  uint32_t piece_length;
  uint32_t map_length;  // of all pieces
};
static_assert(sizeof(MapPieceRecord) == 24);

// A label: a block within the label `parent` (0: within none). Labels are the process's, not the
// thread's. Followed by the names of profiler, track and block, UTF-8.
struct BlockRecord {
  RecordHeader header;
  uint32_t label;
  uint32_t parent;
  uint32_t profiler_length;
  uint32_t track_length;
  uint32_t name_length;
  uint32_t reserved;
};
static_assert(sizeof(BlockRecord) == 32);

// Control records. `reserved` fields are zero.

// What sets off samples (signal_safe/ticks/engines.h).
enum class TimerEngine : uint16_t { kTick = 0, kHires = 1, kPerf = 2, kItimer = 3 };

// The recording itself; the first control record. Followed by `node_version_length` and
// `exec_path_length` bytes of UTF-8.
struct SessionRecord {
  RecordHeader header;
  uint64_t start_unix_ns;
  uint64_t start_monotonic_ns;
  uint64_t interval_ns;
  uint32_t pid;
  uint16_t mode;   // 0 CPU, 1 wall
  uint16_t timer;  // TimerEngine
  uint32_t node_version_length;
  uint32_t exec_path_length;
};
static_assert(sizeof(SessionRecord) == 48);

// An executable file mapping. Followed by `path_length` bytes of UTF-8 and `build_id_length` bytes.
// The address range is [start, end); `file_offset` is that of `start` in the file. flags bit 0: it
// holds a copy of V8's embedded builtins (a file mapping outside the loader's list).
struct ModuleRecord {
  RecordHeader header;
  uint64_t start;
  uint64_t end;
  uint64_t file_offset;
  uint32_t path_length;
  uint32_t build_id_length;
};
static_assert(sizeof(ModuleRecord) == 40);

enum class ThreadKind : uint32_t { kNative = 0, kMain = 1, kWorker = 2 };

// A thread got the slot; again when its name or kind becomes known. Followed by `name_length` bytes
// of UTF-8.
struct ThreadRecord {
  RecordHeader header;
  uint32_t slot;
  uint32_t generation;
  uint32_t tid;
  uint32_t kind;         // ThreadKind
  uint64_t start_ticks;  // field 22 of /proc/<pid>/task/<tid>/stat
  uint32_t name_length;
  uint32_t reserved;
};
static_assert(sizeof(ThreadRecord) == 40);

// The kernel's tick, nanoseconds; in the first chunk.
inline constexpr char kKernelTickStat[] = "kernel_tick_ns";
// When it comes (base/kernel_tick.h); missing if that is not known.
inline constexpr char kTickPhaseStat[] = "kernel_tick_phase_ns";

// Name and value of a counter; the last one of a name wins. Followed by `name_length` bytes of
// UTF-8.
struct StatRecord {
  RecordHeader header;
  uint64_t value;
  uint32_t name_length;
  uint32_t reserved;
};
static_assert(sizeof(StatRecord) == 24);

// The counters of one life of a slot; the last one wins. `reason_count` 64-bit counts of dropped
// samples follow, by DropReason.
struct ThreadTotalsRecord {
  RecordHeader header;
  uint32_t slot;
  uint32_t generation;
  uint64_t signals;
  uint64_t written;
  uint64_t overruns;
  uint64_t handler_ns;
  uint32_t reason_count;
  uint32_t reserved;
};
static_assert(sizeof(ThreadTotalsRecord) == 56);

// Wall mode: the thread was off the CPU for `wall_ns` that end at `time_ns`, on the stack
// `stack_id` (0: where is not known). flags: the bits kOffCpuStates of a SampleRecord's state.
inline constexpr uint32_t kOffCpuStates =
    kStateInGc | kStateTruncated | kStateIncomplete | kStateRunsJavaScript;
struct OffCpuRecord {
  RecordHeader header;
  uint32_t slot;
  uint32_t generation;
  uint64_t time_ns;  // CLOCK_MONOTONIC
  uint64_t wall_ns;
  uint32_t stack_id;
  uint32_t label;  // as the flags of a SampleRecord
};
static_assert(sizeof(OffCpuRecord) == 40);

// Wall mode: records of a detail lane that the drain has written for a thread, whose stack it has
// walked while it slept; `size` bytes of them follow. Their identifiers are the thread's, and
// others than those that the thread itself gives.
struct SleeperDetailsRecord {
  RecordHeader header;
  uint32_t slot;
  uint32_t generation;
  uint32_t size;
  uint32_t reserved;
};
static_assert(sizeof(SleeperDetailsRecord) == 24);

// A moment that the program has named, of the thread `tid`. Followed by `name_length` and
// `detail_length` bytes of UTF-8; the detail is JSON.
struct MarkRecord {
  RecordHeader header;
  uint64_t time_ns;  // CLOCK_MONOTONIC
  uint32_t tid;
  uint32_t name_length;
  uint32_t detail_length;
  uint32_t reserved;
};
static_assert(sizeof(MarkRecord) == 32);

inline constexpr uint16_t kProcessHasLock = 1;  // RecordHeader::flags: it holds a lock on the log

// What names the process that writes the log beside its number (platform/process_identity.h); in
// the first chunk. Followed by `boot_id_length` bytes of text.
struct ProcessRecord {
  RecordHeader header;
  uint64_t start_ticks;
  uint64_t pid_namespace;
  uint32_t pid;
  uint32_t boot_id_length;
};
static_assert(sizeof(ProcessRecord) == 32);

// The recording was stopped in order.
struct EndRecord {
  RecordHeader header;
  uint64_t monotonic_ns;
};
static_assert(sizeof(EndRecord) == 16);

constexpr size_t RecordSize(size_t fixed, size_t tail) { return (fixed + tail + 7) & ~size_t{7}; }

}  // namespace spprof
