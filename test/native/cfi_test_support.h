// What the call-frame tests and benches need of the world: the modules of this process, ELF files
// mapped as the loader would (without running them), and the list of a module's entries.
//
// Context: tests only.
#pragma once

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "signal_safe/cfi/cfi.h"

namespace spprof::test {

// The module that program headers loaded at `bias` make.
inline CfiModule ModuleOf(const ElfW(Phdr) * headers, size_t count, uintptr_t bias) {
  CfiModule module{};
  module.start = module.mapped_start = ~uintptr_t{0};
  for (size_t i = 0; i < count; ++i) {
    const ElfW(Phdr)& header = headers[i];
    const uintptr_t start = bias + header.p_vaddr;
    const uintptr_t end = start + header.p_memsz;
    if (header.p_type == PT_LOAD) {
      module.mapped_start = std::min(module.mapped_start, start);
      module.mapped_end = std::max(module.mapped_end, end);
      if (header.p_flags & PF_X) {
        module.start = std::min(module.start, start);
        module.end = std::max(module.end, end);
      }
    } else if (header.p_type == PT_GNU_EH_FRAME) {
      module.eh_frame_hdr = start;
      module.eh_frame_hdr_size = header.p_memsz;
    }
  }
  return module;
}

inline std::vector<CfiModule> ModulesOfThisProcess() {
  std::vector<CfiModule> modules;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        const CfiModule module = ModuleOf(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr);
        if (module.eh_frame_hdr != 0) static_cast<std::vector<CfiModule>*>(data)->push_back(module);
        return 0;
      },
      &modules);
  return modules;
}

inline const CfiModule* FindModule(const std::vector<CfiModule>& modules, uintptr_t pc) {
  for (const CfiModule& module : modules) {
    if (pc >= module.start && pc < module.end) return &module;
  }
  return nullptr;
}

// An ELF file's loadable segments, at their distances, readable only.
class MappedElf {
 public:
  // Null if the file is not there or not an ELF file.
  static std::unique_ptr<MappedElf> Open(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return nullptr;
    std::unique_ptr<MappedElf> elf(new MappedElf);
    const bool ok = elf->Map(fd);
    close(fd);
    return ok ? std::move(elf) : nullptr;
  }
  ~MappedElf() {
    if (size_ != 0) munmap(reinterpret_cast<void*>(memory_), size_);
  }
  MappedElf(const MappedElf&) = delete;
  MappedElf& operator=(const MappedElf&) = delete;

  const CfiModule& module() const { return module_; }
  uintptr_t bias() const { return module_.mapped_start - first_address_; }

 private:
  MappedElf() = default;

  bool Map(int fd) {
    ElfW(Ehdr) header;
    if (pread(fd, &header, sizeof header, 0) != sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
      return false;
    }
    std::vector<ElfW(Phdr)> headers(header.e_phnum);
    const auto bytes = static_cast<ssize_t>(headers.size() * sizeof(ElfW(Phdr)));
    if (pread(fd, headers.data(), static_cast<size_t>(bytes), static_cast<off_t>(header.e_phoff)) !=
        bytes)
      return false;
    const CfiModule unbiased = ModuleOf(headers.data(), headers.size(), 0);
    first_address_ = unbiased.mapped_start;
    size_ = unbiased.mapped_end - unbiased.mapped_start;
    void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      size_ = 0;
      return false;
    }
    memory_ = reinterpret_cast<uintptr_t>(memory);
    const uintptr_t bias = memory_ - first_address_;
    for (const ElfW(Phdr) & segment : headers) {
      if (segment.p_type != PT_LOAD) continue;
      auto* to = reinterpret_cast<char*>(bias + segment.p_vaddr);
      size_t done = 0;
      while (done < segment.p_filesz) {
        const ssize_t got = pread(fd, to + done, segment.p_filesz - done,
                                  static_cast<off_t>(segment.p_offset + done));
        if (got <= 0) return false;
        done += static_cast<size_t>(got);
      }
    }
    module_ = ModuleOf(headers.data(), headers.size(), bias);
    return true;
  }

  CfiModule module_{};
  uintptr_t memory_ = 0;
  size_t size_ = 0;
  uintptr_t first_address_ = 0;
};

struct CodeRange {
  uintptr_t begin, end;
};

// The ranges of a module's entries, by the header's table alone (what every linker writes: pairs of
// signed 32-bit distances).
inline std::vector<CodeRange> RangesOf(const CfiModule& module) {
  const auto* header = reinterpret_cast<const uint8_t*>(module.eh_frame_hdr);
  std::vector<CodeRange> ranges;
  if (header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b) return ranges;
  uint32_t count;
  memcpy(&count, header + 8, 4);
  for (uint32_t i = 0; i < count; ++i) {
    int32_t begin, entry;
    memcpy(&begin, header + 12 + 8 * size_t{i}, 4);
    memcpy(&entry, header + 16 + 8 * size_t{i}, 4);
    uint32_t size;  // the entry: length, CIE distance, begin, size
    memcpy(&size, header + entry + 12, 4);
    const uintptr_t start =
        module.eh_frame_hdr + static_cast<uintptr_t>(static_cast<intptr_t>(begin));
    ranges.push_back({start, start + size});
  }
  return ranges;
}

// The files whose call-frame information matters most to the profiler.
inline std::vector<std::string> InterestingFiles() {
  std::vector<std::string> files;
  for (const char* path :
       {"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/bin/node", "/usr/local/bin/node"}) {
    struct stat info;
    if (stat(path, &info) == 0) files.push_back(path);
  }
  return files;
}

}  // namespace spprof::test
