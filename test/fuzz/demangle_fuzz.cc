// Names of linker symbols.
#include "fuzz_target.h"
#include "symbols/demangle.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kReaderCpuNs;

std::vector<std::string> Seeds() {
  return {"_ZN2v88internal12_GLOBAL__N_16InvokeEPNS0_7IsolateERKNS1_12InvokeParamsE",
          "_ZNSt6vectorIiSaIiEE9push_backEOi@plt",
          "_ZN4core3ptr49drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE",
          "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
          "3bar17h930b740aa94f1d3aE",
          "_RNvCs1234_7mycrate3foo",
          "_ZZ4mainENKUlvE_clEv",
          "Builtins_JSEntry"};
}

void RunOne(Bytes bytes) {
  if (bytes.size() > 4096) return;  // a name is cut long before
  Demangle(std::string(bytes.begin(), bytes.end()));
}

}  // namespace spprof::fuzz
