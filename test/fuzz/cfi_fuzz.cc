// Call-frame information: the lookup of an entry, its instructions, and the step to the caller's
// frame. The input is registers, a stack, and a module's .eh_frame_hdr with what follows it.
#include <algorithm>
#include <cstddef>
#include <set>

#include "cfi_test_support.h"
#include "fuzz_target.h"
#include "signal_safe/cfi/cfi.h"

namespace spprof::fuzz {

namespace {

constexpr size_t kStackBytes = 512;
constexpr size_t kRedZone = 128;
constexpr uint32_t kFunctionDistance = 1 << 16;
constexpr int64_t kReach = int64_t{1} << 30;

struct Head {
  int32_t pc;            // from the header
  uint16_t header_size;  // of .eh_frame_hdr
  uint8_t at_the_end;
  uint8_t sp;          // of the stack's words
  uint16_t registers;  // a bit each: 0: within the stack
};

// The header of one entry, its common entry and itself, as at kFunctionDistance from the header.
std::string ModuleOfOneEntry(const uint8_t* fde) {
  uint32_t length, cie_distance, cie_length;
  memcpy(&length, fde, 4);
  memcpy(&cie_distance, fde + 4, 4);
  const uint8_t* cie = fde + 4 - cie_distance;
  memcpy(&cie_length, cie, 4);
  constexpr uint32_t kCieAt = 20;
  const uint32_t fde_at = kCieAt + 4 + cie_length;
  std::string module;
  Append(&module, uint32_t{0x3b031b01});  // version; pcrel sdata4, udata4, datarel sdata4
  Append(&module, uint32_t{kCieAt - 4});
  Append(&module, uint32_t{1});
  Append(&module, kFunctionDistance);
  Append(&module, fde_at);
  module.append(reinterpret_cast<const char*>(cie), 4 + cie_length);
  std::string entry(reinterpret_cast<const char*>(fde), 4 + length);
  const uint32_t distance = fde_at + 4 - kCieAt, begin = kFunctionDistance - (fde_at + 8);
  memcpy(entry.data() + 4, &distance, 4);
  memcpy(entry.data() + 8, &begin, 4);
  return module + entry + std::string(4, '\0');
}

}  // namespace

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  std::set<std::string> seen;
  for (const CfiModule& module : test::ModulesOfThisProcess()) {
    const auto* header = reinterpret_cast<const uint8_t*>(module.eh_frame_hdr);
    const size_t count = test::RangesOf(module).size();
    const size_t step = std::max<size_t>(count / 60, 1);
    for (size_t i = 0; i < count; i += step) {
      int32_t entry;
      uint32_t size;
      memcpy(&entry, header + 16 + 8 * i, 4);
      memcpy(&size, header + entry + 12, 4);
      const std::string bytes = ModuleOfOneEntry(header + entry);
      if (!seen.insert(bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), 24))).second)
        continue;
      for (const uint32_t at : {size / 2, size - 1}) {
        std::string seed;
        Append(&seed, Head{static_cast<int32_t>(kFunctionDistance + at), 20, 1, 24, 0});
        seed += std::string(64, '\x08') + bytes;
        seeds.push_back(seed);
      }
    }
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  static FencedMemory module_memory(1 << 16), stack_memory(4096);
  Input input(bytes);
  const auto head = input.Take<Head>();
  uint64_t stack[kStackBytes / 8];
  const Bytes words = input.TakeBytes(sizeof(stack) / 8);
  const uintptr_t stack_begin =
      stack_memory.Put({reinterpret_cast<const uint8_t*>(stack), 0}, false);
  for (size_t i = 0; i < std::size(stack); i++) {
    const uint64_t word = i < words.size() ? words[i] : 0;
    stack[i] = word < 128 ? stack_begin + word * 4 : word << 40;
  }
  stack_memory.Put({reinterpret_cast<const uint8_t*>(stack), sizeof(stack)}, false);
  const Bytes module_bytes =
      input.rest().subspan(0, std::min(input.rest().size(), module_memory.capacity()));
  const uintptr_t begin = module_memory.Put(module_bytes, head.at_the_end != 0);
  const CfiModule module{begin - kReach, begin + kReach,
                         begin,          std::min<size_t>(head.header_size, module_bytes.size()),
                         begin,          begin + module_bytes.size()};
  const uintptr_t pc = begin + static_cast<uintptr_t>(int64_t{head.pc});
  const UnwindRule rule = DecodeRule(module, pc);
  Registers registers{};
  uint64_t* const all = &registers.pc;
  for (size_t i = 0; i < offsetof(Registers, has_scratch) / 8; i++)
    all[i] = (head.registers >> (i & 15) & 1) != 0 ? i << 44 : stack_begin + (head.sp + i) % 64 * 8;
  registers.pc = pc;
  registers.sp = stack_begin + kRedZone + head.sp % ((kStackBytes - kRedZone) / 8) * 8;
  const Registers before = registers;
  const StepResult result = ApplyRule(module, rule, pc, stack_begin + kStackBytes, &registers);
  if (result != StepResult::kOk) {
    Require(memcmp(&before, &registers, sizeof(before)) == 0,
            "a failed step has changed registers");
  } else if (!rule.is_signal_frame) {
    Require(registers.sp >= before.sp, "a step has gone down the stack");
  }
}

}  // namespace spprof::fuzz
