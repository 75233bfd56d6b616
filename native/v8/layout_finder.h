// Fills a V8Layout for the V8 of this process: from its metadata, which says nearly all, and what
// can be told from that (docs/design/v8-internals.md 1.3; decisions/0021). How tables of positions
// are written is known of the versions that have been tested; position_check.h finds it out of
// others. What stays unknown the walker does without.
//
// Context: control thread, once, called from JavaScript (it looks at the current isolate and at the
// stack); guarded loads, so the fault handler must be installed.
#pragma once

#include <string>
#include <vector>

#include "signal_safe/v8_heap/v8_layout.h"
#include "v8/metadata.h"

namespace spprof {

struct V8Version {
  int major = 0;
  int minor = 0;
};

// From the exported v8::internal::Version; zeros when it is not there.
V8Version FindV8Version();

// For sentences.
std::string NameOfV8(int major, int minor);

// `warnings` gets a sentence for each thing that the profile will lack.
V8Layout FindV8Layout(const V8Metadata& metadata, V8Version version,
                      std::vector<std::string>* warnings);

}  // namespace spprof
