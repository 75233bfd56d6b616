// How long V8's bytecodes are: what is needed to follow Sparkplug's tables. Of a table that is not
// the running V8's own, every use checks that a whole function comes out even
// (FindBaselineBytecode), so a build that differs loses lines and shows no wrong ones.
//
// Context: control thread, once.
#pragma once

#include "signal_safe/v8_heap/position_table.h"
#include "v8/metadata.h"

namespace spprof {

// V8's own table: exported up to V8 13, and tabulated here for the tested versions since. For
// others the executable's own symbols are looked through, which takes some milliseconds; a stripped
// one has none. Empty when they are not known.
BytecodeSizes FindBytecodeSizes(int major, int minor, const V8Metadata& metadata);

}  // namespace spprof
