// Where functions begin in a file without symbols: its table of call-frame rules (.eh_frame_hdr),
// which is needed at run time and which `strip` leaves, has an entry for each function.
//
// Context: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/elf_file.h"

namespace spprof {

class FrameTable {
 public:
  // Reads the table; one that is missing, damaged or encoded as linkers do not write it is empty.
  explicit FrameTable(const ElfFile& file);

  // The first address of the function that covers `address`, both as the file numbers them; none
  // where no entry covers it.
  std::optional<uint64_t> FunctionAt(uint64_t address) const;

 private:
  struct Entry {
    uint64_t start;
    uint64_t rules;  // address of its rules in .eh_frame
  };

  // Bytes of the function that an entry's rules are for; 0: not known.
  uint64_t SizeOf(const Entry& entry) const;

  const ElfFile& file_;
  std::vector<Entry> entries_;  // by start
};

}  // namespace spprof
