// Machine code as the walker reads it: single instructions, whether the leaf has its frame, and the
// entries of WebAssembly's baseline code.
#include <algorithm>

#include "fuzz_target.h"
#include "signal_safe/machine/leaf_frame.h"
#include "signal_safe/machine/x86_64/x86_instruction.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  const auto add = [&seeds](const char* code, size_t size) {
    seeds.push_back(std::string(2, '\0') + std::string(code, size));
  };
  add("\x55\x48\x89\xe5\x48\x83\xec\x20\x48\x8b\x45\xf0\x48\x8b\xe5\x5d\xc2\x10\x00", 19);
  add("\x48\x81\xec\x80\x00\x00\x00\x0f\x84\x02\x00\x00\x00\xeb\x01\xcc\xc9\xc3", 18);
  add("\x41\xbc\x05\x00\x00\x00\xe8\x10\x00\x00\x00\x48\x81\xec\x10\x00\x00\x00", 18);
  add("\xc5\xfb\x10\x45\x10\xc4\xe2\x7b\xf7\xc0\x62\xf1\x7c\x48\x10\x00\xf2\x0f\x58\xc1", 20);
  add("\x41\x5a\x41\x53\xff\x64\x24\x08\xff\x25\x00\x00\x00\x00\x41\xff\xe2", 17);
  // Code of this target: what compilers write today.
  const auto* code = reinterpret_cast<const char*>(&RunOne);
  for (size_t at = 0; at < 1024; at += 128) add(code + at, 128);
  return seeds;
}

void RunOne(Bytes bytes) {
  Input input(bytes);
  const auto start = input.Take<uint16_t>();
  const Bytes rest = input.rest();
  for (size_t at = 0; at < rest.size(); at++) {
    uint8_t ahead[kMaxInstructionBytes] = {};
    std::copy_n(rest.begin() + static_cast<std::ptrdiff_t>(at),
                std::min(sizeof(ahead), rest.size() - at), ahead);
    X86Instruction instruction;
    if (!DecodeX86(ahead, &instruction)) continue;
    Require(instruction.length >= 1 && instruction.length <= kMaxInstructionBytes,
            "an instruction of an impossible length");
    Require(instruction.reg <= kFromStack, "a register that there is not");
  }
  if (rest.empty()) return;
  const std::vector<uint8_t> own(rest.begin(), rest.end());
  const auto begin = reinterpret_cast<uint64_t>(own.data());
  const uint64_t pc = begin + start % own.size();
  // Jumps may lead anywhere: all loads are guarded.
  for (const uint32_t instructions : {40u, 2000u}) FindLeafFrame(pc, instructions);
  LiftoffEntry entry;
  ReadLiftoffEntry(pc, &entry);
  IsBeforeFrameOfLiftoff(pc);
  FindFirstCall(pc);
}

}  // namespace spprof::fuzz
