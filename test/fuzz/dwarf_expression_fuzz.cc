// The expressions of call-frame rules.
#include "fuzz_target.h"
#include "signal_safe/cfi/dwarf_expression.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  const std::string head(2, '\1');
  return {
      head + std::string("\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22", 12),  // the PLT's
      head + std::string("\x05\x77\xb8\x01\x06\x23", 6),                           // OpenSSL's
      head + std::string("\x02\x76\x00", 3),      // a frame aligned anew
      head + std::string("\x03\x77\xa0\x01", 4),  // a signal frame's
      head + std::string("\x0e\x0e\xff\xff\xff\xff\xff\xff\xff\x7f\x12\x16\x1e\x1f\x20", 15),
  };
}

void RunOne(Bytes bytes) {
  static FencedMemory code(4096), stack(4096);
  Input input(bytes);
  const auto kind = input.Take<uint8_t>();
  const auto sp = input.Take<uint8_t>();
  const uintptr_t stack_begin = stack.Put({}, false);
  const StackBounds bounds{stack_begin, stack_begin + stack.capacity()};
  Registers registers{};
  registers.sp = registers.fp = stack_begin + sp * 8u;
  registers.pc = registers.rax = ~uint64_t{0};
  const Bytes rest = input.TakeBytes(code.capacity());
  const uintptr_t begin = code.Put(rest, (kind & 2) != 0);
  ByteCursor cursor(begin, begin + rest.size());
  const uint64_t cfa = registers.sp + 16;
  uint64_t result;
  EvaluateExpression(&cursor, registers, bounds, (kind & 1) != 0 ? &cfa : nullptr, &result);
}

}  // namespace spprof::fuzz
