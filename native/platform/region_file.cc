#include "platform/region_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace spprof {

namespace {

constexpr char kSharedMemory[] = "/dev/shm/spprof-region-";

bool WritesInPlace(int fd) {
  constexpr long kXfs = 0x58465342;
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return false;
  // An overlay's upper layer is not known; where it is one of the others, the fault handler
  // remains.
  constexpr long kKnown[] = {EXT4_SUPER_MAGIC, kXfs, TMPFS_MAGIC, RAMFS_MAGIC,
                             OVERLAYFS_SUPER_MAGIC};
  return std::find(std::begin(kKnown), std::end(kKnown), static_cast<long>(system.f_type)) !=
         std::end(kKnown);
}

// A file in shared memory, and `path` as a link to it; -1: not here.
int CreateElsewhere(const std::string& path) {
  std::string name = std::string(kSharedMemory) + "XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return -1;
  if (WritesInPlace(fd) && symlink(name.c_str(), path.c_str()) == 0) return fd;
  unlink(name.c_str());
  close(fd);
  return -1;
}

}  // namespace

Status RegionFile::Create(const std::string& path, RegionFile* out) {
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Status::System("open", errno, "creating " + path);
  if (!WritesInPlace(fd)) {
    unlink(path.c_str());
    close(fd);
    fd = CreateElsewhere(path);
  }
  out->file_ = Descriptor(fd);
  return Status::Ok();
}

Status RegionFile::Extend(uint64_t size, uint64_t from, uint64_t length) {
  // Beyond the limit ftruncate would send SIGXFSZ, which ends a program that does not expect it.
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size > limit.rlim_cur) {
    return Status::System("ftruncate", EFBIG, "sizing the sample region");
  }
  if (ftruncate(fd(), static_cast<off_t>(size)) != 0) {
    return Status::System("ftruncate", errno, "sizing the sample region");
  }
  return Reserve(from, length);
}

Status RegionFile::Reserve(uint64_t from, uint64_t length) {
  int result;
  do {
    result = fallocate(fd(), 0, static_cast<off_t>(from), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return Status::Ok();
  if (errno == EOPNOTSUPP || errno == ENOSYS) return WriteZeros(from, length);
  return Status::System("fallocate", errno, "making room for the sample region");
}

// For file systems that cannot reserve room (ext2, ext3): only what is written has it.
Status RegionFile::WriteZeros(uint64_t from, uint64_t length) {
  static constexpr char kZeros[1 << 16] = {};
  while (length > 0) {
    const ssize_t written =
        pwrite(fd(), kZeros, std::min<uint64_t>(length, sizeof(kZeros)), static_cast<off_t>(from));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Status::System("pwrite", errno, "making room for the sample region");
    from += static_cast<uint64_t>(written);
    length -= static_cast<uint64_t>(written);
  }
  return Status::Ok();
}

void ForgetSharedRegion(const std::string& path) {
  char target[128];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  if (length <= 0) return;
  const std::string name(target, static_cast<size_t>(length));
  const bool is_ours = name.rfind(kSharedMemory, 0) == 0 &&
                       name.find('/', sizeof(kSharedMemory) - 1) == std::string::npos;
  if (is_ours && unlink(name.c_str()) == 0) unlink(path.c_str());
}

}  // namespace spprof
