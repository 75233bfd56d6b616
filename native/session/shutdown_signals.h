// SIGINT and SIGTERM as a way to end the recording: installs the handler of
// signal_safe/handler/shutdown_signal.h, and puts back what was there. A signal that the program
// ignores is left alone. A program that installs a listener of its own later (process.on) takes the
// signal from us altogether, and gets it as without us.
//
// Context: control thread (Install), end thread (Uninstall, first_ns before it).
#pragma once

#include <memory>

#include "base/status.h"
#include "signal_safe/handler/shutdown_signal.h"

namespace spprof {

class ShutdownSignals {
 public:
  // `watchdog_ns` after the first signal the process dies of it, however far the shutdown is.
  ShutdownSignals(Word* shutdown_requested, Waker* waker, uint64_t watchdog_ns);
  ~ShutdownSignals() { Uninstall(); }
  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

  Status Install();
  // When the first signal came, monotonic; 0: none has.
  uint64_t first_ns() const { return context_->first_ns.load(std::memory_order_relaxed); }
  // The former dispositions are back when this returns. The signal that has been received, or 0:
  // it is the caller's to send again.
  int Uninstall();

 private:
  std::unique_ptr<ShutdownSignalContext> context_ = std::make_unique<ShutdownSignalContext>();
  bool is_installed_ = false;
};

}  // namespace spprof
