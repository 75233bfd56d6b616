// Mapped files whose pages may cease to be there: somebody cuts the file off, or its disk has no
// room for a page that is written the first time. Touching such a page raises SIGBUS, which would
// end the program. The fault handler (platform/fault_handler.h) asks here: what belongs to a
// mapping that is listed is replaced by anonymous memory, full of zeros, and the access goes on.
// From then on the mapping is lost: what it holds means nothing, and whoever reads it looks at
// IsLost() afterwards.
//
// So code that uses such memory must be safe with zeros that appear at any moment. (The lanes take
// their sizes from it: lane.h.)
//
// Context: ReplaceLostPage in a signal handler; the rest on a control thread, one at a time.
//
// clang-format off
// | word          | writer  | reader  | order             | what for                                                          |
// | base, end     | control | handler | release / acquire | the mapping's other words are set up before it is found            |
// | is_lost       | handler | any     | seq_cst           | set before the first zero appears: who reads a zero sees it after  |
// clang-format on
#pragma once

#include <cstddef>
#include <cstdint>

#include "region/layout.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

struct LossyMapping {
  Sequence base{0};  // 0: nothing is mapped
  Sequence end{0};
  Word is_lost{0};
  // What to do for the recording that it belongs to; may be null.
  Sequence shutdown_requested{0};  // address of a Word within the mapping
  Sequence waker{0};               // address of a Waker

  bool IsLost() const { return is_lost.load(std::memory_order_seq_cst) != 0; }
};

// Lists a mapping; it stays at its address until it is taken off. False: there are too many, and it
// must not be used.
bool ListMapping(LossyMapping* mapping);
void UnlistMapping(LossyMapping* mapping);

// False: `address` is in none of them, or the kernel has no memory.
bool ReplaceLostPage(uintptr_t address);

}  // namespace spprof
