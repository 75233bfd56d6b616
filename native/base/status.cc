#include "base/status.h"

#include <cstring>

namespace spprof {

Status Status::System(const char* syscall, int error_number, const std::string& what) {
  Status status =
      Error(kErrSystem, what + ": " + syscall + " failed: " + std::strerror(error_number));
  status.syscall_ = syscall;
  status.errno_ = error_number;
  return status;
}

}  // namespace spprof
