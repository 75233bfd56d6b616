// Result of an operation that can fail: an error code of the public API, and a sentence for a
// person. Context: any thread; never in the signal handler (it holds a string).
#pragma once

#include <string>
#include <utility>

namespace spprof {

class Status {
 public:
  Status() = default;

  static Status Ok() { return {}; }
  // `code` is one of the ERR_SPPROF_ codes of binding.d.ts.
  static Status Error(const char* code, std::string message) {
    Status status;
    status.code_ = code;
    status.message_ = std::move(message);
    return status;
  }
  // A system call failed with `error_number`; the message names the call and what it was for.
  static Status System(const char* syscall, int error_number, const std::string& what);

  bool ok() const { return code_ == nullptr; }
  const char* code() const { return code_; }
  const std::string& message() const { return message_; }
  const char* syscall() const { return syscall_; }
  int error_number() const { return errno_; }

 private:
  const char* code_ = nullptr;
  const char* syscall_ = nullptr;
  int errno_ = 0;
  std::string message_;
};

inline constexpr char kErrSystem[] = "ERR_SPPROF_SYSTEM";
inline constexpr char kErrRunning[] = "ERR_SPPROF_RUNNING";
inline constexpr char kErrNotRunning[] = "ERR_SPPROF_NOT_RUNNING";
inline constexpr char kErrTimer[] = "ERR_SPPROF_TIMER";
inline constexpr char kErrBadRecording[] = "ERR_SPPROF_BAD_RECORDING";

}  // namespace spprof
