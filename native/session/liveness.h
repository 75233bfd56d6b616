// Whether the process that writes a recording lives. It holds a lock on its log, which the kernel
// takes away when it dies, or becomes another program (execve): that is known across PID
// namespaces, and of numbers that have been given to others. Where the file system has no locks,
// what the log says of the process is compared with /proc.
//
// Context: any thread.
#pragma once

#include <string>

#include "platform/process_identity.h"

namespace spprof {

// `folder`: of the recording. kUnknown: there is no log, or neither way can tell.
ProcessState StateOfRecording(const std::string& folder);

}  // namespace spprof
