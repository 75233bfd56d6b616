// How long V8's bytecodes are, by version: what is needed to follow Sparkplug's tables. Every use
// checks that a whole function comes out even (FindBaselineBytecode), so a build that differs loses
// lines and shows no wrong ones.
//
// Context: control thread, once.
#pragma once

#include "signal_safe/position_table.h"

namespace spprof {

// Empty when they are not known.
BytecodeSizes FindBytecodeSizes(int major, int minor);

}  // namespace spprof
