// What registry and lanes hold, as a text for a person: of the running process, or of a dead one's
// region.
//
// Context: any thread but the handler. Words are read one by one while they may move.
#pragma once

#include <string>

#include "platform/region_map.h"

namespace spprof {

std::string DumpRegion(const RegionMap& region);

}  // namespace spprof
