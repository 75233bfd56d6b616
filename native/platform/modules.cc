#include "platform/modules.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

struct Listing {
  uintptr_t v8_host_base;
  std::vector<LoadedModule> modules;
};

std::string ExecutablePath() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

// What a file says of itself need not be mapped: a segment of notes may lie in none that is loaded.
std::string CopyOf(uintptr_t address, size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(GuardedCopy(bytes.data(), address, size));
  return bytes;
}

std::string BuildIdAt(uintptr_t address, size_t length) {
  constexpr size_t kMaxNotes = 64 * 1024;
  const std::string copy = CopyOf(address, std::min(length, kMaxNotes));
  const char* notes = copy.data();
  const size_t size = copy.size();
  size_t at = 0;
  while (at + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, sizeof(note));
    const size_t name = at + sizeof(note);
    const size_t description = name + ((note.n_namesz + 3) & ~3u);
    const size_t next = description + ((note.n_descsz + 3) & ~3u);
    if (next > size || next <= at) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes + name, "GNU", 4) == 0) {
      return std::string(notes + description, note.n_descsz);
    }
    at = next;
  }
  return {};
}

int AddObject(dl_phdr_info* info, size_t, void* data) {
  auto* listing = static_cast<Listing*>(data);
  const uintptr_t base = info->dlpi_addr;
  uintptr_t mapped_start = UINTPTR_MAX, mapped_end = 0;
  const ElfW(Phdr)* eh_frame_hdr = nullptr;
  std::string build_id;
  std::vector<ElfW(Phdr)> headers(info->dlpi_phnum);
  headers.resize(GuardedCopy(headers.data(), reinterpret_cast<uintptr_t>(info->dlpi_phdr),
                             headers.size() * sizeof(headers[0])) /
                 sizeof(headers[0]));
  for (const ElfW(Phdr) & header : headers) {
    if (header.p_type == PT_LOAD) {
      mapped_start = std::min<uintptr_t>(mapped_start, base + header.p_vaddr);
      mapped_end = std::max<uintptr_t>(mapped_end, base + header.p_vaddr + header.p_memsz);
    } else if (header.p_type == PT_GNU_EH_FRAME) {
      eh_frame_hdr = &header;
    } else if (header.p_type == PT_NOTE && build_id.empty()) {
      build_id = BuildIdAt(base + header.p_vaddr, header.p_memsz);
    }
  }
  const uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
  std::string path = info->dlpi_name != nullptr ? info->dlpi_name : "";
  if (vdso != 0 && mapped_start == vdso) {
    path = "[vdso]";
  } else if (path.empty()) {
    path = ExecutablePath();
  }
  const bool is_v8_host =
      listing->v8_host_base >= mapped_start && listing->v8_host_base < mapped_end;
  for (const ElfW(Phdr) & header : headers) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    LoadedModule module;
    module.path = path;
    module.build_id = build_id;
    module.file_offset = header.p_offset;
    module.range.start = base + header.p_vaddr;
    module.range.end = module.range.start + header.p_memsz;
    module.range.kind = is_v8_host ? CodeKind::kV8Host : CodeKind::kNative;
    if (eh_frame_hdr != nullptr) {
      module.range.has_cfi = true;
      module.range.cfi = {module.range.start,    module.range.end, base + eh_frame_hdr->p_vaddr,
                          eh_frame_hdr->p_memsz, mapped_start,     mapped_end};
    }
    listing->modules.push_back(std::move(module));
  }
  return 0;
}

// V8 maps its embedded builtins a second time, from the same file, into each isolate's code range
// (docs/design/v8-internals.md 2.3).
void AddBuiltinsCopies(std::vector<LoadedModule>* modules) {
  std::string host;
  for (const LoadedModule& module : *modules) {
    if (module.range.kind == CodeKind::kV8Host) host = module.path;
  }
  if (host.empty()) return;
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  const std::vector<LoadedModule> known = *modules;
  char line[4096 + 128];
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t start, end;
    uint64_t offset;
    char permissions[5];
    int path_at = 0;
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %*s %*s %n", &start, &end,
                    permissions, &offset, &path_at) < 4 ||
        path_at == 0 || permissions[2] != 'x') {
      continue;
    }
    std::string path = line + path_at;
    while (!path.empty() && path.back() == '\n') path.pop_back();
    const bool is_listed =
        std::any_of(known.begin(), known.end(), [start, end](const LoadedModule& module) {
          return start < module.range.end && module.range.start < end;
        });
    if (is_listed || path != host) continue;
    LoadedModule copy;
    copy.path = path;
    copy.file_offset = offset;
    copy.range.start = start;
    copy.range.end = end;
    copy.range.kind = CodeKind::kBuiltinsCopy;
    modules->push_back(std::move(copy));
  }
  std::fclose(maps);
}

}  // namespace

std::vector<LoadedModule> ListModules(uintptr_t v8_host_base) {
  Listing listing{v8_host_base, {}};
  CheckLoadGuard(kernel::MonotonicNs());
  dl_iterate_phdr(AddObject, &listing);
  AddBuiltinsCopies(&listing.modules);
  std::sort(
      listing.modules.begin(), listing.modules.end(),
      [](const LoadedModule& a, const LoadedModule& b) { return a.range.start < b.range.start; });
  return std::move(listing.modules);
}

uint64_t LoaderGeneration() {
  uint64_t generation = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        *static_cast<uint64_t*>(data) = info->dlpi_adds + info->dlpi_subs;
        return 1;
      },
      &generation);
  return generation;
}

}  // namespace spprof
