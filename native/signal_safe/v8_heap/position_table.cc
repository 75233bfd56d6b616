#include "signal_safe/v8_heap/position_table.h"

#include "region/sequence.h"
#include "signal_safe/machine/byte_cursor.h"

namespace spprof {

namespace {

constinit Sequence g_given_up{0};

// Gives false, so that it can be the answer of a look.
bool GiveUp() {
  g_given_up.fetch_add(1, std::memory_order_relaxed);
  return false;
}

int64_t ZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Bytecodes 0 to 3 widen the operands of the next one.
constexpr uint8_t kWide = 0, kExtraWide = 1, kDebugBreakWide = 2, kDebugBreakExtraWide = 3;

// Moves `code` behind one bytecode; false at its end or at a bytecode that this V8 does not have.
bool SkipBytecode(const BytecodeSizes& sizes, ByteCursor* code) {
  uint32_t scale = 0;
  uint8_t opcode = code->U8();
  if (opcode <= kDebugBreakExtraWide) {
    scale = opcode == kWide || opcode == kDebugBreakWide ? 1 : 2;
    opcode = code->U8();
  }
  if (code->has_failed() || opcode >= sizes.opcode_count) return false;
  const uint8_t size = sizes.sizes[scale * sizes.opcode_count + opcode];
  if (size == 0) return false;
  code->Skip(size - 1u);
  return !code->has_failed();
}

}  // namespace

uint64_t PositionsGivenUp() { return g_given_up.load(std::memory_order_relaxed); }

SourcePosition UnpackSourcePosition(uint64_t word) {
  constexpr uint64_t kExternal = 1;
  SourcePosition position;
  position.inlining_id = static_cast<uint32_t>(word >> 31 & 0xffff);
  if ((word & kExternal) == 0) position.place = static_cast<uint32_t>(word >> 1 & 0x3fffffff);
  return position;
}

bool FindSourcePosition(PositionEncoding encoding, uintptr_t table, uint32_t bytes, uint32_t offset,
                        const MarksOfTable& marks, SourcePosition* out) {
  if (encoding == PositionEncoding::kUnknown) return false;
  TableMark at = marks.Nearest(offset);
  if (at.byte > bytes) return false;
  const uintptr_t begin = table + at.byte;
  ByteCursor cursor(begin, table + bytes);
  bool is_found = at.slice != 0;
  while (!cursor.is_at_end()) {
    if (cursor.position() - begin >= kTableSliceBytes) {
      at.byte = static_cast<uint32_t>(cursor.position() - table);
      marks.Keep(at);
      return GiveUp();
    }
    const uint64_t step = cursor.Uleb();
    int64_t distance;
    if (encoding == PositionEncoding::kSigned) {
      const int64_t value = ZigZag(step);
      distance = value >= 0 ? value : -(value + 1);
    } else {
      distance = static_cast<int64_t>(step >> 2);
    }
    const uint64_t moved = at.value + static_cast<uint64_t>(ZigZag(cursor.Uleb()));
    if (cursor.has_failed() || distance < 0 || distance > INT32_MAX || moved >> 47 != 0) {
      return false;
    }
    at.offset += distance;
    if (at.offset > int64_t{offset}) break;
    at.value = moved;
    is_found = true;
  }
  if (is_found) *out = UnpackSourcePosition(at.value);
  return is_found;
}

namespace {

// One look through a table of Sparkplug's and its bytecodes, from a mark on.
class BaselineLook {
 public:
  BaselineLook(const BytecodeSizes& sizes, uintptr_t table, uint32_t bytes,
               const Bytecodes& bytecodes, const TableMark& from)
      : sizes_(sizes),
        table_(table),
        code_begin_(bytecodes.begin),
        from_(from),
        at_(from),
        cursor_(table + from.byte, table + bytes),
        code_(bytecodes.begin + from.value, bytecodes.begin + bytecodes.length) {
    if (from.slice == 0) at_.offset = static_cast<int64_t>(cursor_.Uleb());  // the prologue's
  }

  bool is_good() const { return !cursor_.has_failed() && at_.offset >= 0; }
  bool is_at_end() const { return cursor_.is_at_end(); }
  bool has_both_ended() const { return cursor_.is_at_end() && code_.is_at_end(); }
  // Up to which the machine code has been gone through, and the bytecode that comes next.
  int64_t offset() const { return at_.offset; }
  uint32_t bytecode() const { return static_cast<uint32_t>(code_.position() - code_begin_); }

  bool IsSliceOver() const {
    return cursor_.position() - table_ - from_.byte >= kTableSliceBytes ||
           bytecode() - from_.value >= kTableSliceBytes;
  }
  bool BreakOff(const MarksOfTable& marks) {
    at_.byte = static_cast<uint32_t>(cursor_.position() - table_);
    at_.value = bytecode();
    marks.Keep(at_);
    return GiveUp();
  }
  // Behind one bytecode. False: damaged.
  bool Step() {
    at_.offset = static_cast<int64_t>(static_cast<uint64_t>(at_.offset) + cursor_.Uleb());
    return is_good() && at_.offset <= UINT32_MAX && SkipBytecode(sizes_, &code_);
  }

 private:
  const BytecodeSizes& sizes_;
  const uintptr_t table_, code_begin_;
  const TableMark from_;
  TableMark at_;
  ByteCursor cursor_, code_;
};

// Of sizes that are not certain: whether they are those of these bytecodes, which only the whole
// proves. Of a long table it takes several looks; what they have found is kept.
bool IsProved(const BytecodeSizes& sizes, uintptr_t table, uint32_t bytes,
              const Bytecodes& bytecodes, const MarksOfTable& marks) {
  if (marks.IsProved()) return true;
  const TableMark from = marks.Nearest(UINT32_MAX);
  if (from.byte > bytes || from.value > bytecodes.length) return false;
  BaselineLook look(sizes, table, bytes, bytecodes, from);
  if (!look.is_good()) return false;
  while (!look.is_at_end()) {
    if (look.IsSliceOver()) return look.BreakOff(marks);
    if (!look.Step()) return false;
  }
  return look.has_both_ended() && marks.KeepProof();
}

}  // namespace

bool IsInBaselinePrologue(uintptr_t table, uint32_t bytes, uint32_t pc_offset) {
  ByteCursor cursor(table, table + bytes);
  const uint64_t prologue = cursor.Uleb();
  return !cursor.has_failed() && pc_offset < prologue;
}

bool FindBaselineBytecode(const BytecodeSizes& sizes, uintptr_t table, uint32_t bytes,
                          const Bytecodes& bytecodes, uint32_t pc_offset, const MarksOfTable& marks,
                          uint32_t* out) {
  if (sizes.sizes == nullptr) return false;
  const bool is_long = bytes > kTableSliceBytes || bytecodes.length > kTableSliceBytes;
  const bool is_certain =
      sizes.is_certain || (is_long && IsProved(sizes, table, bytes, bytecodes, marks));
  if (is_long && !is_certain) return false;
  const TableMark from = is_long ? marks.Nearest(pc_offset) : TableMark{};
  if (from.byte > bytes || from.value > bytecodes.length) return false;
  BaselineLook look(sizes, table, bytes, bytecodes, from);
  if (!look.is_good() || int64_t{pc_offset} < look.offset()) return false;
  bool is_found = false;
  while (!look.is_at_end() && !(is_found && is_certain)) {
    const uint32_t bytecode = look.bytecode();
    if (look.IsSliceOver()) return look.BreakOff(marks);
    if (!look.Step()) return false;
    if (is_found || int64_t{pc_offset} >= look.offset()) continue;
    *out = bytecode;
    is_found = true;
  }
  return is_found && (is_certain || look.has_both_ended());
}

}  // namespace spprof
