// How far looks through V8's long tables of positions have come. The tables can only be read from
// their beginning, and the handler reads 16 KiB at a time: a look that has not come to its place by
// then leaves a mark, from which the next one goes on (decisions/0040).
//
// Context: signal, on the thread itself; zero-initialised memory.
#pragma once

#include <cstdint>

namespace spprof {

// A state of a look through a table, behind one of its entries.
struct TableMark {
  uint64_t table = 0;
  int64_t offset = -1;  // in the code, up to which the table has been read
  uint64_t value = 0;   // the entry's: of a table of positions its word, of Sparkplug's a bytecode
  uint32_t byte = 0;    // of the table: where the next entry begins
  uint32_t slice = 0;   // how many looks it took; 0: the beginning
  uint32_t epoch = 0;
};

inline constexpr uint32_t kTableMarks = 512;
inline constexpr uint32_t kMaxTableSlices = 256;  // tables of 4 MiB

struct TableMarks {
  TableMark marks[kTableMarks];
  // Looks that left a mark instead of an answer: what was made of them is not to be remembered.
  uint32_t looks_broken_off;
};

// The marks of one table. `epoch` changes when the collector may have put something else where the
// table was; 0: collections are not announced, and nothing is kept.
class MarksOfTable {
 public:
  MarksOfTable(TableMarks* marks, uint32_t epoch, uint64_t table)
      : marks_(marks), epoch_(epoch), table_(table) {}

  // The last one that is not behind `offset`; the beginning where there is none.
  TableMark Nearest(uint32_t offset) const {
    TableMark nearest;
    if (!MayKeep()) return nearest;
    for (uint32_t slice = 1; slice < kMaxTableSlices; slice++) {
      const TableMark* mark = Find(slice);
      if (mark == nullptr || mark->offset > int64_t{offset}) break;
      nearest = *mark;
    }
    return nearest;
  }

  // That the table has been gone through to its end, and is what it was taken for.
  bool IsProved() const { return MayKeep() && Find(kMaxTableSlices) != nullptr; }
  bool KeepProof() const {
    TableMark proof;
    proof.slice = kMaxTableSlices;
    return MayKeep() && Put(proof);
  }

  // A look that began at `mark.slice` has come to `mark`. False: that is not kept.
  bool Keep(TableMark mark) const {
    if (!MayKeep() || ++mark.slice >= kMaxTableSlices) return false;
    marks_->looks_broken_off++;
    return Put(mark);
  }

 private:
  static constexpr uint32_t kProbes = 4;

  bool MayKeep() const { return marks_ != nullptr && epoch_ != 0; }
  bool Put(TableMark mark) const {
    mark.table = table_;
    mark.epoch = epoch_;
    TableMark* place = &marks_->marks[SlotOf(mark.slice, 0)];
    for (uint32_t probe = 0; probe < kProbes; probe++) {  // rather one that is void
      TableMark* const other = &marks_->marks[SlotOf(mark.slice, probe)];
      if (other->epoch == epoch_ && !(other->table == table_ && other->slice == mark.slice))
        continue;
      place = other;
      break;
    }
    *place = mark;
    return true;
  }
  uint32_t SlotOf(uint32_t slice, uint32_t probe) const {
    constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // Knuth, 6.4: neighbours fall far apart
    static_assert(kTableMarks == 1 << 9);
    return (static_cast<uint32_t>((table_ + slice) * kSpread >> 55) + probe) % kTableMarks;
  }
  const TableMark* Find(uint32_t slice) const {
    for (uint32_t probe = 0; probe < kProbes; probe++) {
      const TableMark& mark = marks_->marks[SlotOf(slice, probe)];
      if (mark.table == table_ && mark.slice == slice && mark.epoch == epoch_) return &mark;
    }
    return nullptr;
  }

  TableMarks* marks_;
  uint32_t epoch_;
  uint64_t table_;
};

}  // namespace spprof
