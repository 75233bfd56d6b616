// What include/spprof/blocks.h finds in the addon: start and stop for native code.
//
// Context: any thread.
#pragma once

#include "include/spprof/blocks.h"

namespace spprof {

const spprof_blocks_table_v1* NativeEntry();

}  // namespace spprof
