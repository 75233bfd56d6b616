#include "platform/descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace spprof {

namespace {

// Above what programs count on, and below what makes the kernel's table, which fork() copies,
// large.
constexpr rlim_t kHighest = 1024;
constexpr rlim_t kRoom = 16;

// What is open, for forked children. More than there are of us in one process.
constexpr size_t kMaxDescriptors = 32;
std::atomic<const Descriptor*> g_open[kMaxDescriptors];

int LowestNumber() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t end = std::min(limit.rlim_cur, kHighest);
  return end > kRoom ? static_cast<int>(end - kRoom) : 0;
}

void Note(const Descriptor* from, const Descriptor* to) {
  for (auto& place : g_open) {
    const Descriptor* expected = from;
    if (place.compare_exchange_strong(expected, to)) return;
  }
}

}  // namespace

Descriptor::Descriptor(int fd) : fd_(fd) {
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) return;
  device_ = info.st_dev;
  inode_ = info.st_ino;
  fd_ = MoveToHighNumber(fd);
  Note(nullptr, this);
}

Descriptor::Descriptor(Descriptor&& other) noexcept { *this = std::move(other); }

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this == &other) return *this;
  Close();
  device_ = other.device_;
  inode_ = other.inode_;
  fd_ = other.fd_.exchange(-1);
  if (fd_ >= 0) Note(&other, this);
  return *this;
}

Descriptor::~Descriptor() { Close(); }

int Descriptor::Get() const {
  struct stat info;
  const int fd = fd_;
  const bool is_ours =
      fd >= 0 && fstat(fd, &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
  return is_ours ? fd : -1;
}

bool Descriptor::IsSameFile(const Descriptor& other) const {
  return Get() >= 0 && device_ == other.device_ && inode_ == other.inode_;
}

void Descriptor::Close() {
  if (fd_ < 0) return;
  Note(this, nullptr);
  const int fd = Get();
  if (fd >= 0) close(fd);
  fd_ = -1;
}

int MoveToHighNumber(int fd) {
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, LowestNumber());
  if (high < 0) return fd;
  close(fd);
  return high;
}

bool CanOpen(int count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  int free = 0;
  for (rlim_t fd = 0; fd < limit.rlim_cur && free < count; fd++)
    free += fcntl(static_cast<int>(fd), F_GETFD) < 0;
  return free >= count;
}

void CloseDescriptorsInChild() {
  for (auto& place : g_open) {
    const Descriptor* descriptor = place.exchange(nullptr);
    if (descriptor == nullptr) continue;
    const int fd = descriptor->Get();
    if (fd >= 0) close(fd);
  }
}

}  // namespace spprof
