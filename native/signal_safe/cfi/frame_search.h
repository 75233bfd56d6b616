// The frame pointer of a function that keeps one, found without the register: for the walk of a
// thread that sleeps, of which the kernel tells stack pointer and program counter alone. The
// function's first instructions say how far below its frame pointer its stack pointer lies; the
// return address above the frame pointer proves it.
//
//      function:  push rbp │ mov rbp, rsp │ push rbx │ sub rsp, 0x48 │ …  call poll
//                                 └────────── 0x50 bytes ──────────┘
//      stack:     return address │ saved rbp │ rbx │ 0x48 bytes │
//                                ▲ fp = sp + 0x50               ▲ sp
//
// Context: signal | any thread. Guarded loads only; looks at a bounded number of instructions and
// words.
#pragma once

#include <cstdint>

#include "signal_safe/cfi/module_table.h"

namespace spprof {

// Whether `address` is behind a call instruction.
bool FollowsCall(uint64_t address);

// `sp` is the function's stack pointer at `pc`, which is an instruction of it that follows its
// first ones (in a caller: the call, without arguments that have been pushed for it). False: it
// cannot be told.
bool FindFramePointer(const ModuleTable& modules, const CfiModule& module, uint64_t pc, uint64_t sp,
                      uint64_t* fp);

}  // namespace spprof
