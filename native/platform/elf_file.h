// An ELF64 file (or image in memory), read-only: sections, segments, build id, and bounds-checked
// reads. Which symbol an address has is symbol_lookup.h's business.
//
// Reads with pread and not through a mapping: a library that is overwritten while we look (an
// upgrade by `cp`) would end the process with SIGBUS, and what is needed of 100 MB is 5 MB. Nothing
// in the file is trusted.
//
// Context: any thread; const members may be used by several at once.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace spprof {

class ElfFile {
 public:
  struct Section {
    std::string name;
    uint32_t type = 0;   // SHT_...
    uint64_t flags = 0;  // SHF_...
    uint64_t address = 0;
    uint64_t offset = 0;
    uint64_t size = 0;  // as the file says; reads check
    uint32_t link = 0;
    uint64_t entry_size = 0;
  };
  struct Segment {
    uint64_t file_offset;
    uint64_t address;
    uint64_t file_size;
    bool is_executable;
  };

  // Null when it cannot be opened or is not a little-endian ELF64 file.
  static std::unique_ptr<ElfFile> Open(const std::string& path);
  // An image of `size` bytes that stays mapped, such as the vdso.
  static std::unique_ptr<ElfFile> FromMemory(const void* image, size_t size);
  // The vdso of this process; null when the kernel gave none.
  static std::unique_ptr<ElfFile> OpenVdso();

  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::vector<Section>& sections() const { return sections_; }
  // Null when there is none of that name or type.
  const Section* FindSection(const char* name) const;
  const Section* FindSectionOfType(uint32_t type) const;
  // The section that holds `address` at run time; 0 when none does.
  uint32_t SectionOfAddress(uint64_t address) const;

  // GNU build id, raw bytes; empty: none.
  const std::string& build_id() const { return build_id_; }

  // The address that the file gives to what lies at `file_offset`, by PT_LOAD; of two segments that
  // share a page the executable one wins.
  std::optional<uint64_t> AddressOfOffset(uint64_t file_offset) const;

  // Each symbol of a symbol table, with its index, a block at a time; until `visit` returns false
  // or the file ends.
  void ForEachSymbol(const Section& table,
                     const std::function<bool(uint32_t, const Elf64_Sym&)>& visit) const;

  // Exactly `size` bytes at `offset`; false when they are not all there.
  bool Read(uint64_t offset, void* out, size_t size) const;
  // As many bytes as are there, at most `size`.
  size_t ReadSome(uint64_t offset, void* out, size_t size) const;
  // The NUL-terminated string at `offset` of a string table, cut at `max_length`.
  std::string ReadString(const Section& table, uint64_t offset, size_t max_length = 16384) const;

 private:
  ElfFile() = default;
  bool ParseHeaders();
  void ParseSections(const Elf64_Ehdr& header);
  void ParseSegments(const Elf64_Ehdr& header);
  void ParseNotes(uint64_t offset, uint64_t size);

  int fd_ = -1;
  const unsigned char* image_ = nullptr;
  uint64_t size_ = 0;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
  std::string build_id_;
};

}  // namespace spprof
