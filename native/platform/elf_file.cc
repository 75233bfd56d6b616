#include "platform/elf_file.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace spprof {
namespace {

// The kernel's vdso is two to four pages; its own section headers tell its end.
constexpr size_t kMaxVdsoBytes = 64 * 1024;
constexpr uint64_t kSymbolsPerBlock = 4096;
constexpr uint64_t kMaxNoteBytes = 64 * 1024;

}  // namespace

std::unique_ptr<ElfFile> ElfFile::Open(const std::string& path) {
  std::unique_ptr<ElfFile> file(new ElfFile);
  file->fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->fd_ < 0) return nullptr;
  struct stat info;
  if (fstat(file->fd_, &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
  file->size_ = static_cast<uint64_t>(info.st_size);
  if (!file->ParseHeaders()) return nullptr;
  return file;
}

std::unique_ptr<ElfFile> ElfFile::FromMemory(const void* image, size_t size) {
  std::unique_ptr<ElfFile> file(new ElfFile);
  file->image_ = static_cast<const unsigned char*>(image);
  file->size_ = size;
  if (!file->ParseHeaders()) return nullptr;
  return file;
}

std::unique_ptr<ElfFile> ElfFile::OpenVdso() {
  const auto* image = reinterpret_cast<const unsigned char*>(getauxval(AT_SYSINFO_EHDR));
  if (image == nullptr) return nullptr;
  Elf64_Ehdr header;
  memcpy(&header, image, sizeof(header));
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return nullptr;
  const uint64_t size = header.e_shoff + uint64_t{header.e_shnum} * header.e_shentsize;
  if (size < sizeof(header) || size > kMaxVdsoBytes) return nullptr;
  return FromMemory(image, static_cast<size_t>(size));
}

ElfFile::~ElfFile() {
  if (fd_ >= 0) close(fd_);
}

size_t ElfFile::ReadSome(uint64_t offset, void* out, size_t size) const {
  if (size == 0 || offset >= size_) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, size_ - offset));
  if (image_ != nullptr) {
    memcpy(out, image_ + offset, size);
    return size;
  }
  size_t done = 0;
  while (done < size) {
    const ssize_t n =
        pread(fd_, static_cast<char*>(out) + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

bool ElfFile::Read(uint64_t offset, void* out, size_t size) const {
  return ReadSome(offset, out, size) == size;
}

std::string ElfFile::ReadString(const Section& table, uint64_t offset, size_t max_length) const {
  std::string result;
  while (result.size() < max_length && offset < table.size) {
    char block[256];
    const size_t wanted = static_cast<size_t>(
        std::min<uint64_t>({sizeof(block), table.size - offset, max_length - result.size()}));
    if (table.offset > UINT64_MAX - offset) break;
    const size_t got = ReadSome(table.offset + offset, block, wanted);
    const size_t length = strnlen(block, got);
    result.append(block, length);
    if (got == 0 || length < got) break;
    offset += got;
  }
  return result;
}

void ElfFile::ForEachSymbol(const Section& table,
                            const std::function<bool(uint32_t, const Elf64_Sym&)>& visit) const {
  const uint64_t count = std::min<uint64_t>(table.size / sizeof(Elf64_Sym), UINT32_MAX);
  std::vector<Elf64_Sym> block(static_cast<size_t>(std::min<uint64_t>(count, kSymbolsPerBlock)));
  for (uint64_t first = 0; first < count; first += block.size()) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(block.size(), count - first));
    const size_t bytes = ReadSome(table.offset + first * sizeof(Elf64_Sym), block.data(),
                                  wanted * sizeof(Elf64_Sym));
    const size_t got = bytes / sizeof(Elf64_Sym);
    for (size_t i = 0; i < got; i++) {
      if (!visit(static_cast<uint32_t>(first + i), block[i])) return;
    }
    if (got < wanted) return;  // the file is shorter than its headers say
  }
}

bool ElfFile::ParseHeaders() {
  Elf64_Ehdr header;
  if (!Read(0, &header, sizeof(header))) return false;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return false;
  }
  ParseSections(header);
  ParseSegments(header);
  return true;
}

void ElfFile::ParseSections(const Elf64_Ehdr& header) {
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return;
  Elf64_Shdr first;
  if (!Read(header.e_shoff, &first, sizeof(first))) return;
  // Numbers that do not fit into the header are kept in section 0 (System V ABI, "ELF header",
  // e_shnum and e_shstrndx).
  const uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
  const uint32_t names_index = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
  if (count > 0x10000 || header.e_shoff > size_ ||
      count * sizeof(Elf64_Shdr) > size_ - header.e_shoff)
    return;
  std::vector<Elf64_Shdr> raw(static_cast<size_t>(count));
  if (!Read(header.e_shoff, raw.data(), raw.size() * sizeof(Elf64_Shdr))) return;
  Section names;
  if (names_index < raw.size()) {
    names.offset = raw[names_index].sh_offset;
    names.size = raw[names_index].sh_size;
  }
  sections_.reserve(raw.size());
  for (const Elf64_Shdr& section : raw) {
    sections_.push_back({ReadString(names, section.sh_name, 256), section.sh_type, section.sh_flags,
                         section.sh_addr, section.sh_offset, section.sh_size, section.sh_link,
                         section.sh_entsize});
  }
}

void ElfFile::ParseSegments(const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return;
  std::vector<Elf64_Phdr> raw(header.e_phnum);
  if (!Read(header.e_phoff, raw.data(), raw.size() * sizeof(Elf64_Phdr))) return;
  for (const Elf64_Phdr& segment : raw) {
    if (segment.p_type == PT_LOAD) {
      segments_.push_back(
          {segment.p_offset, segment.p_vaddr, segment.p_filesz, (segment.p_flags & PF_X) != 0});
    } else if (segment.p_type == PT_NOTE && build_id_.empty()) {
      ParseNotes(segment.p_offset, segment.p_filesz);
    }
  }
}

void ElfFile::ParseNotes(uint64_t offset, uint64_t size) {
  std::vector<unsigned char> notes(static_cast<size_t>(std::min(size, kMaxNoteBytes)));
  notes.resize(ReadSome(offset, notes.data(), notes.size()));
  size_t at = 0;
  while (notes.size() - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    memcpy(&note, notes.data() + at, sizeof(note));
    at += sizeof(note);
    const uint64_t name_bytes = (uint64_t{note.n_namesz} + 3) & ~uint64_t{3};
    const uint64_t value_bytes = (uint64_t{note.n_descsz} + 3) & ~uint64_t{3};
    if (name_bytes > notes.size() - at || value_bytes > notes.size() - at - name_bytes) return;
    const unsigned char* value = notes.data() + at + name_bytes;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        memcmp(notes.data() + at, "GNU", 4) == 0) {
      build_id_.assign(reinterpret_cast<const char*>(value), note.n_descsz);
      return;
    }
    at += static_cast<size_t>(name_bytes + value_bytes);
  }
}

const ElfFile::Section* ElfFile::FindSection(const char* name) const {
  for (const Section& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const ElfFile::Section* ElfFile::FindSectionOfType(uint32_t type) const {
  for (const Section& section : sections_) {
    if (section.type == type) return &section;
  }
  return nullptr;
}

uint32_t ElfFile::SectionOfAddress(uint64_t address) const {
  for (size_t i = 1; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    if ((section.flags & SHF_ALLOC) != 0 && address >= section.address &&
        address - section.address < section.size) {
      return static_cast<uint32_t>(i);
    }
  }
  return 0;
}

std::optional<uint64_t> ElfFile::AddressOfOffset(uint64_t file_offset) const {
  std::optional<uint64_t> result;
  for (const Segment& segment : segments_) {
    if (file_offset < segment.file_offset || file_offset - segment.file_offset >= segment.file_size)
      continue;
    result = segment.address + (file_offset - segment.file_offset);
    if (segment.is_executable) break;
  }
  return result;
}

}  // namespace spprof
