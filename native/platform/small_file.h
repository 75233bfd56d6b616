// A file of the kernel's, such as those of /proc and /sys. Not by a stream: libstdc++ is linked
// into the addon, and its streams are half a megabyte.
#pragma once

#include <sys/types.h>

#include <string>

namespace spprof {

// The first 4,096 bytes; empty when it cannot be read.
std::string ReadSmallFile(const char* path);
// Of /proc/self/task/<tid>/<file>.
std::string ReadTaskFile(pid_t tid, const char* file);
// Its first line.
std::string ReadFirstLine(const char* path);

}  // namespace spprof
