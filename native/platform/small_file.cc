#include "platform/small_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace spprof {

std::string ReadSmallFile(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char buffer[4096];
  const ssize_t size = read(fd, buffer, sizeof(buffer));
  close(fd);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : std::string();
}

std::string ReadTaskFile(pid_t tid, const char* file) {
  return ReadSmallFile(("/proc/self/task/" + std::to_string(tid) + "/" + file).c_str());
}

std::string ReadFirstLine(const char* path) {
  const std::string all = ReadSmallFile(path);
  return all.substr(0, all.find('\n'));
}

}  // namespace spprof
