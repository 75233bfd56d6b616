// A file descriptor that this library keeps open in somebody else's process. The program may close
// numbers that it does not know, and open files of its own under them: so the number is high, where
// a program's own are not, and before each use the file behind it is compared with the one that was
// opened. (Between the two lies a system call's time, in which another thread would have to close
// and open.)
//
// Context: any thread, one at a time; Get from any thread. ForgetDescriptors in a forked child.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace spprof {

class Descriptor {
 public:
  Descriptor() = default;
  // Takes over `fd`; a negative one makes an empty Descriptor. `fd` may be another number after.
  explicit Descriptor(int fd);
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  // Whether something has been opened, whatever the program has done with it since.
  bool IsOpened() const { return fd_ >= 0; }
  // The number; -1 when there is none, or when the program has closed it.
  int Get() const;
  bool IsSameFile(const Descriptor& other) const;

 private:
  void Close();

  std::atomic<int> fd_{-1};
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The same file under a number above what programs count on, or `fd` where none is free up there.
// Closed when another program is executed.
int MoveToHighNumber(int fd);

// Whether so many files can still be opened: a program with few descriptors needs them itself.
bool CanOpen(int count);

// A forked child that goes on as another program would keep the files, and their locks.
void CloseDescriptorsInChild();

}  // namespace spprof
