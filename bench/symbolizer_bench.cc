// Symbolizing 2,000 addresses of node's functions, as at the end of a recording. Target: 60 ms,
// with node in the page cache and nothing kept from a call before.
#include <benchmark/benchmark.h>
#include <elf.h>
#include <limits.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "platform/elf_file.h"
#include "symbols/symbolizer.h"

namespace spprof {
namespace {

constexpr uint64_t kBase = 0x7f0000000000;

// SPPROF_BENCH_NODE, or the `node` in PATH.
std::string NodePath() {
  if (const char* path = getenv("SPPROF_BENCH_NODE"); path != nullptr) return path;
  char line[PATH_MAX] = "", path[PATH_MAX] = "";
  FILE* pipe = popen("command -v node", "r");
  if (pipe == nullptr || fscanf(pipe, "%4095s", line) != 1) line[0] = '\0';
  if (pipe != nullptr) pclose(pipe);
  return realpath(line, path) != nullptr ? path : "";
}

void BM_SymbolizeNode(benchmark::State& state) {
  const std::string path = NodePath();
  const auto file = ElfFile::Open(path);
  const ElfFile::Section* text = file == nullptr ? nullptr : file->FindSection(".text");
  if (text == nullptr) {
    state.SkipWithError("no node in PATH");
    return;
  }
  std::mt19937_64 random(42);
  std::vector<uint64_t> addresses;
  for (int64_t i = 0; i < state.range(0); ++i)
    addresses.push_back(kBase + text->offset + random() % text->size);
  struct stat info {};
  stat(path.c_str(), &info);
  const Mapping mapping{kBase, kBase + static_cast<uint64_t>(info.st_size), 0, path, ""};
  size_t symbols = 0;
  for (auto _ : state) {
    Symbolization result = Symbolize({&mapping, 1}, addresses);
    symbols = result.symbols.size();
    benchmark::DoNotOptimize(result);
  }
  state.counters["symbols"] = static_cast<double>(symbols);
}
BENCHMARK(BM_SymbolizeNode)->Arg(2000)->Arg(20000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spprof
