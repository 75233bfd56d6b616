// libFuzzer's side of the targets: writes the first inputs when SPPROF_FUZZ_SEEDS names a folder,
// and runs the target under a bound of CPU time otherwise.
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "fuzz_target.h"
#include "platform/fault_handler.h"

namespace spprof::fuzz {

namespace {

constexpr size_t kPage = 4096;
constexpr int kMaxFences = 8;

struct Fence {
  uintptr_t begin, end;
};
Fence g_fences[kMaxFences];
int g_fence_count = 0;
struct sigaction g_below[2];

// Above spprof's own handler, which makes guarded loads fail.
void OnFault(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (int i = 0; i < g_fence_count; i++) {
    if (address >= g_fences[i].begin && address < g_fences[i].end)
      Fail("a load outside of what was given");
  }
  g_below[signal == SIGBUS].sa_sigaction(signal, info, context);
}

void AddFence(const uint8_t* begin, size_t size) {
  Require(g_fence_count < kMaxFences, "too many fences");
  g_fences[g_fence_count++] = {reinterpret_cast<uintptr_t>(begin),
                               reinterpret_cast<uintptr_t>(begin) + size};
}

uint64_t ThreadCpuNs() {
  struct timespec now {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t CostOf(Bytes input) {
  const uint64_t begin = ThreadCpuNs();
  RunOne(input);
  return ThreadCpuNs() - begin;
}

void WriteSeeds(const std::string& folder) {
  int number = 0;
  for (const std::string& seed : Seeds())
    std::ofstream(folder + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  Require(number > 0, "the target has no first inputs");
}

}  // namespace

void Fail(const char* what) {
  std::fprintf(stderr, "spprof-fuzz: %s\n", what);
  std::abort();
}

FencedMemory::FencedMemory(size_t capacity) : capacity_((capacity + kPage - 1) & ~(kPage - 1)) {
  void* memory =
      mmap(nullptr, capacity_ + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Require(memory != MAP_FAILED, "no memory");
  begin_ = static_cast<uint8_t*>(memory) + kPage;
  Require(mprotect(begin_, capacity_, PROT_READ | PROT_WRITE) == 0, "mprotect failed");
  AddFence(begin_ - kPage, kPage);
  AddFence(begin_ + capacity_, kPage);
}

uintptr_t FencedMemory::Put(Bytes bytes, bool at_the_end) {
  if (bytes.size() > capacity_) bytes = bytes.subspan(0, capacity_);
  uint8_t* const to = at_the_end ? begin_ + capacity_ - bytes.size() : begin_;
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return reinterpret_cast<uintptr_t>(to);
}

}  // namespace spprof::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace spprof::fuzz;  // NOLINT: it is their main function
  Require(spprof::InstallFaultHandler().ok(), "the fault handler could not be installed");
  struct sigaction action {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS}) sigaction(signal, &action, &g_below[signal == SIGBUS]);
  if (const char* folder = std::getenv("SPPROF_FUZZ_SEEDS"); folder != nullptr) {
    WriteSeeds(folder);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spprof::fuzz;  // NOLINT: it is their main function
  const Bytes input(data, size);
  // What is slow once may have had bad luck; what is slow each time is.
  for (int attempt = 0; CostOf(input) > kMaxCpuNs; attempt++)
    Require(attempt < 3, "one input takes too long");
  return 0;
}
