// For a thread of ours that is about to begin: it must take no signal that is meant for the
// program, from its first instruction on, and inherits this mask. SIGSEGV and SIGBUS are left: a
// fault of the thread's own, while its signal is blocked, would end the process without asking the
// fault handler.
//
// Context: any thread.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace spprof {

class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

}  // namespace spprof
