// What executable files are mapped into this process, and where their call-frame information is.
//
// Context: control thread and drain thread. Takes the loader's lock (dl_iterate_phdr); never in the
// handler.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signal_safe/cfi/module_table.h"

namespace spprof {

struct LoadedModule {
  ModuleRange range;
  uint64_t file_offset = 0;  // of range.start
  std::string path;          // "[vdso]" for the kernel's
  std::string build_id;      // bytes; empty when there is none
};

// Sorted by address. `v8_host_base`: an address in the first mapping of the object that V8 is
// linked into, or 0.
std::vector<LoadedModule> ListModules(uintptr_t v8_host_base);

// Changes whenever an object is loaded or unloaded. Cheap.
uint64_t LoaderGeneration();

}  // namespace spprof
