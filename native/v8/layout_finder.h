// Fills a V8Layout for the V8 of this process: from its metadata, and where that is silent from a
// table by version (../shared/V8.md 1.3, values read off the official binaries). What is neither
// announced nor tabulated stays unknown, and the walker does without it.
//
// Context: control thread, once, on a JavaScript thread (it looks at the current isolate).
#pragma once

#include <string>
#include <vector>

#include "signal_safe/v8_layout.h"
#include "v8/metadata.h"

namespace spprof {

struct V8Version {
  int major = 0;
  int minor = 0;
};

// From the exported v8::internal::Version; zeros when it is not there.
V8Version FindV8Version();

// `warnings` gets a sentence for each thing that the profile will lack.
V8Layout FindV8Layout(const V8Metadata& metadata, V8Version version,
                      std::vector<std::string>* warnings);

}  // namespace spprof
