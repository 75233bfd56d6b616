// From a program counter to its frame description entry: the sorted table of .eh_frame_hdr, and the
// headers of the entry (FDE) and of the common information (CIE) it refers to.
//
// Context: signal | any thread. Pure reading of the module's mapped bytes, which are treated as
// hostile.
#pragma once

#include <cstdint>

#include "signal_safe/cfi/cfi.h"
#include "signal_safe/machine/byte_cursor.h"

namespace spprof {

// What the interpreter needs of one entry.
struct FrameEntry {
  uintptr_t address = 0;  // of the FDE
  uintptr_t pc_begin = 0;
  uintptr_t pc_end = 0;
  uintptr_t cie_instructions = 0;
  uintptr_t cie_end = 0;
  uintptr_t fde_instructions = 0;
  uintptr_t fde_end = 0;
  uint64_t code_alignment = 0;
  int64_t data_alignment = 0;
  uint8_t pointer_encoding = 0;
  bool is_signal_frame = false;
};

enum class LookupResult : uint8_t { kFound, kNone, kBad };

// The entry that covers `pc`.
LookupResult FindFrameEntry(const CfiModule& module, uintptr_t pc, FrameEntry* entry);

// Reads the entry at `address`; false if it is none, or malformed.
bool ReadFrameEntry(const CfiModule& module, uintptr_t address, FrameEntry* entry);

// A pointer in one of the DW_EH_PE_ encodings; `data_base` is what DW_EH_PE_datarel counts from.
// Fails the cursor on what it does not know (indirect, text-relative).
uintptr_t ReadEncodedPointer(ByteCursor* cursor, uint8_t encoding, uintptr_t data_base);

}  // namespace spprof
