// Runs code with the processor's trap flag set, so that the thread is stopped before each of its
// instructions, and keeps the true chain of its callers: where each return address lies is known
// from the call that put it there, not from any frame.
//
// Context: tests only; x86-64; one thread of the process at a time. What is stepped must not block
// SIGTRAP.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdlib>

#include "signal_safe/machine/protection_keys.h"

namespace spprof::test {

// The return addresses on the stack since stepping began, innermost last.
class CallChain {
 public:
  // moves_return_addresses: as V8's builtins do, to put arguments above them.
  explicit CallChain(bool moves_return_addresses)
      : moves_return_addresses_(moves_return_addresses) {}

  // Before the next instruction runs.
  void Advance(const ucontext_t& here) {
    const auto& registers = here.uc_mcontext.gregs;
    const auto pc = static_cast<uint64_t>(registers[REG_RIP]);
    const auto sp = static_cast<uint64_t>(registers[REG_RSP]);
    while (depth_ > 0 && !IsPending(depth_ - 1, pc, sp, registers)) {
      depth_--;
      was_cut_ = calls_[depth_].return_address != pc && calls_[depth_].interrupted_pc == 0;
    }
    if (sp == last_sp_ - 8) {
      const uint64_t pushed = Load(sp);
      if (pushed > last_pc_ && pushed <= last_pc_ + kMaxInstructionBytes && pushed != pc) {
        returns_[pushed % kReturns] = pushed;
        Push({sp, pushed, 0});
      } else if (moves_return_addresses_ && pushed != 0 && pushed == returns_[pushed % kReturns] &&
                 IsPush(last_pc_)) {
        if (was_cut_) {
          Push({sp, pushed, 0});  // V8 goes on in the interpreter as if that had made a call
        } else if (depth_ > 0 && calls_[depth_ - 1].return_address == pushed) {
          calls_[depth_ - 1].slot = sp;
        }
      }
    }
    last_pc_ = pc;
    last_sp_ = sp;
  }
  // A signal's handler has been entered; `interrupted` lies right above its return address.
  void EnterHandler(const ucontext_t* interrupted) {
    const auto& registers = interrupted->uc_mcontext.gregs;
    Push({static_cast<uint64_t>(registers[REG_RSP]) - 8, 0,
          static_cast<uint64_t>(registers[REG_RIP])});
    const uint64_t slot = reinterpret_cast<uint64_t>(interrupted) - 8;
    Push({slot, Load(slot), 0});
  }

  // Calls have ended otherwise than by returning (a throw), and none was made since.
  bool was_cut() const { return was_cut_; }
  uint32_t depth() const { return depth_; }
  // The instruction that caller `back` is at, 0 for the innermost: that of the call, as a walk
  // names it (one byte before the return address), or one that a signal interrupted.
  uint64_t CallerAt(uint32_t back) const {
    const Call& call = calls_[depth_ - 1 - back];
    return call.interrupted_pc != 0 ? call.interrupted_pc : call.return_address - 1;
  }
  // Whether each return address is still what the call has put there. A C++ exception overwrites
  // that of its unwinder, whose callers are about to be left.
  bool is_intact() const {
    for (uint32_t i = 0; i < depth_; i++) {
      const Call& call = calls_[i];
      if (call.interrupted_pc == 0 && Load(call.slot) != call.return_address) return false;
    }
    return true;
  }

 private:
  struct Call {
    uint64_t slot;  // where the return address lies
    uint64_t return_address;
    uint64_t interrupted_pc;  // of the frame below a signal's; 0: the frame has made a call
  };
  static constexpr uint32_t kMaxDepth = 1024;
  static constexpr uint64_t kMaxInstructionBytes = 15;

  static bool IsPush(uint64_t pc) {
    const auto* code = reinterpret_cast<const uint8_t*>(pc);
    if ((*code & 0xf0) == 0x40) code++;
    return (*code & 0xf8) == 0x50 || (*code == 0xff && (code[1] >> 3 & 7) == 6);
  }

  // Whether the call has not returned. The innermost code may move its return address: into a
  // register, or further down as it puts arguments above it.
  bool IsPending(uint32_t index, uint64_t pc, uint64_t sp, const gregset_t& registers) {
    Call* const call = &calls_[index];
    const uint64_t end = index > 0 ? calls_[index - 1].slot : UINT64_MAX;
    if (call->interrupted_pc != 0) return call->slot >= sp;
    if (pc == call->return_address && call->slot < sp) return false;
    if (call->slot >= sp &&
        (!moves_return_addresses_ || Load(call->slot) == call->return_address)) {
      return true;
    }
    if (!moves_return_addresses_) return false;
    constexpr uint64_t kMovedBytes = 512;
    for (uint64_t at = sp; at < call->slot + kMovedBytes && at < end; at += 8) {
      if (Load(at) != call->return_address) continue;
      call->slot = at;
      return true;
    }
    if (call->slot >= sp) return true;
    bool is_in_register = false;
    for (int i = REG_R8; i <= REG_RCX; i++) {
      if (static_cast<uint64_t>(registers[i]) == call->return_address) is_in_register = true;
    }
    return is_in_register;
  }

  static uint64_t Load(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }
  void Push(const Call& call) {
    if (depth_ == kMaxDepth) std::abort();
    was_cut_ = false;
    calls_[depth_++] = call;
  }

  const bool moves_return_addresses_;
  Call calls_[kMaxDepth];
  uint32_t depth_ = 0;
  uint64_t last_pc_ = 0;
  uint64_t last_sp_ = 0;
  bool was_cut_ = false;
  static constexpr size_t kReturns = 4093;
  uint64_t returns_[kReturns] = {};  // where calls have returned to
};

// Calls `visit` before each instruction of a stretch of the program, in the handler of SIGTRAP,
// until that gives false.
class SingleStepper {
 public:
  using Visit = bool (*)(void* data, const ucontext_t& here, const CallChain& chain);

  SingleStepper(Visit visit, void* data, bool moves_return_addresses = false)
      : visit_(visit), data_(data), chain_(moves_return_addresses) {
    if (stepper != nullptr) std::abort();
    stepper = this;
    struct sigaction action {};
    action.sa_sigaction = OnTrap;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGTRAP, &action, &former_);
  }
  ~SingleStepper() {
    sigaction(SIGTRAP, &former_, nullptr);
    stepper = nullptr;
  }
  SingleStepper(const SingleStepper&) = delete;
  SingleStepper& operator=(const SingleStepper&) = delete;

  // From the caller's next instruction on. In its own frame: callers of that are not followed.
  __attribute__((always_inline)) void Begin() {
    is_stepping_ = true;
    SetTrapFlag();
  }
  __attribute__((always_inline)) void End() { is_stepping_ = false; }
  // First thing in a signal's handler, which the kernel runs without the trap flag.
  __attribute__((always_inline)) void StepInHandler(const void* ucontext) {
    chain_.EnterHandler(static_cast<const ucontext_t*>(ucontext));
    SetTrapFlag();
  }

 private:
  __attribute__((always_inline)) static void SetTrapFlag() {
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"  // leave the red zone alone
        "pushfq\n\t"
        "orq $0x100, (%%rsp)\n\t"
        "popfq\n\t"
        "leaq 128(%%rsp), %%rsp" ::
            : "cc", "memory");
  }

  static void OnTrap(int, siginfo_t*, void* context) {
    const ReadableKeys keys;  // this handler reads code, as the profiler's does
    auto& here = *static_cast<ucontext_t*>(context);
    auto& registers = here.uc_mcontext.gregs;
    if (!stepper->is_stepping_) {
      registers[REG_EFL] &= ~0x100;
      return;
    }
    stepper->chain_.Advance(here);
    if (!stepper->visit_(stepper->data_, here, stepper->chain_)) stepper->is_stepping_ = false;
  }

  static inline SingleStepper* stepper = nullptr;
  Visit visit_;
  void* data_;
  struct sigaction former_ {};
  volatile bool is_stepping_ = false;
  CallChain chain_;
};

}  // namespace spprof::test
