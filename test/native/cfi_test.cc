// Call-frame rules against readelf's reading of the same files (binutils).
#include "signal_safe/cfi/cfi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <sstream>

#include "cfi_test_support.h"

namespace spprof {
namespace {

struct ReferenceRow {
  uintptr_t pc;
  std::string cfa;
  std::map<std::string, std::string> registers;
};
struct ReferenceEntry {
  uintptr_t begin = 0, end = 0;
  std::string cie;
  std::vector<ReferenceRow> rows;
};
struct Reference {
  std::map<std::string, ReferenceEntry> common;
  std::map<std::string, bool> is_signal;
  std::vector<ReferenceEntry> entries;
};

Reference ReadReference(const std::string& path) {
  Reference reference;
  FILE* pipe = popen(("readelf --debug-dump=frames-interp " + path + " 2>/dev/null").c_str(), "r");
  char line[4096];
  ReferenceEntry* current = nullptr;
  std::vector<std::string> columns;
  bool is_eh_frame = false;
  while (fgets(line, sizeof line, pipe) != nullptr) {
    std::istringstream words(line);
    std::vector<std::string> word((std::istream_iterator<std::string>(words)),
                                  std::istream_iterator<std::string>());
    std::erase_if(word, [](const std::string& w) { return w[0] == '('; });  // "r8 (r8)"
    if (word.empty()) continue;
    if (word[0] == "Contents") {
      is_eh_frame = strstr(line, ".eh_frame") != nullptr;
      continue;
    }
    if (!is_eh_frame) continue;
    if (word.size() > 4 && word[3] == "CIE") {
      current = &reference.common[word[0]];
      reference.is_signal[word[0]] = word[4].find('S') != std::string::npos;
    } else if (word.size() > 5 && word[3] == "FDE") {
      reference.entries.emplace_back();
      current = &reference.entries.back();
      current->cie = word[4].substr(4);
      unsigned long begin, end;
      if (sscanf(word[5].c_str(), "pc=%lx..%lx", &begin, &end) == 2) {
        current->begin = begin;
        current->end = end;
      }
    } else if (word[0] == "LOC") {
      columns = word;
    } else if (current != nullptr && word[0].size() == 16 && word.size() == columns.size()) {
      ReferenceRow row{strtoul(word[0].c_str(), nullptr, 16), word[1], {}};
      for (size_t i = 2; i < word.size(); ++i) row.registers[columns[i]] = word[i];
      current->rows.push_back(row);
    }
  }
  pclose(pipe);
  return reference;
}

// The rule as text, both ways: "plain rsp+16 ra-8 rbp-16", "expression", "end".
std::string Describe(const UnwindRule& rule) {
  static const char* const kNames[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
                                       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
  static const char* const kSaved[] = {"rbp", "rbx", "r12", "r13", "r14", "r15"};
  switch (rule.kind) {
    case RuleKind::kNone:
      return "none";
    case RuleKind::kExpression:
      return rule.is_signal_frame ? "signal" : "expression";
    case RuleKind::kEndOfStack:
      return "end";
    case RuleKind::kBad:
      return "bad";
    case RuleKind::kPlain:
      break;
  }
  char text[64];
  snprintf(text, sizeof text, "plain %s%+d ra%+d", kNames[rule.cfa_register], rule.offset,
           rule.return_address * 8);
  std::string result = text;
  for (int i = 0; i < kSavedCount; ++i) {
    if (rule.saved[i] != 0)
      result += std::string(" ") + kSaved[i] + (rule.saved[i] > 0 ? "+" : "") +
                std::to_string(rule.saved[i] * 8);
  }
  return result;
}

std::string Describe(const ReferenceRow& row, bool is_signal) {
  const auto of = [&](const char* name) {
    const auto found = row.registers.find(name);
    return found == row.registers.end() ? std::string("u") : found->second;
  };
  const std::string ra = of("ra");
  if (ra == "u") return "end";
  if (is_signal) return "signal";
  if (row.cfa == "exp" || ra[0] != 'c') return "expression";
  std::string result = "plain " + row.cfa + " ra" + ra.substr(1);
  for (const char* name : {"rbp", "rbx", "r12", "r13", "r14", "r15"}) {
    const std::string value = of(name);
    if (value == "u" || value == "s") continue;
    if (value[0] != 'c') return "expression";
    if (labs(strtol(value.c_str() + 1, nullptr, 10)) > 127 * 8) return "expression";
    result += std::string(" ") + name + value.substr(1);
  }
  return of("rsp") == "u" ? result : "expression";
}

class CfiOfFile : public testing::TestWithParam<std::string> {};

TEST_P(CfiOfFile, DecodesAsReadelfDoesAtEveryRow) {
  const auto elf = test::MappedElf::Open(GetParam());
  ASSERT_NE(elf, nullptr);
  Reference reference = ReadReference(GetParam());
  ASSERT_GT(reference.entries.size(), 100u) << "readelf (binutils) gave nothing";
  uint32_t rows = 0, differ = 0;
  std::map<RuleKind, uint32_t> kinds;
  for (ReferenceEntry& entry : reference.entries) {
    if (entry.begin >= entry.end) continue;
    if (entry.rows.empty()) {
      entry.rows = reference.common[entry.cie].rows;
      for (ReferenceRow& row : entry.rows) row.pc = entry.begin;
    }
    ASSERT_FALSE(entry.rows.empty());
    for (size_t i = 0; i < entry.rows.size(); ++i) {
      const uintptr_t begin = entry.rows[i].pc;
      const uintptr_t end = i + 1 < entry.rows.size() ? entry.rows[i + 1].pc : entry.end;
      if (begin >= end) continue;  // two rows at one address: the later counts
      const std::string expected = Describe(entry.rows[i], reference.is_signal[entry.cie]);
      for (uintptr_t pc : {begin, begin + (end - begin) / 2, end - 1}) {
        const UnwindRule rule = DecodeRule(elf->module(), pc + elf->bias());
        ++rows;
        ++kinds[rule.kind];
        if (Describe(rule) != expected && ++differ <= 10) {
          ADD_FAILURE() << std::hex << pc << ": " << Describe(rule) << ", readelf: " << expected;
        }
      }
    }
  }
  EXPECT_EQ(differ, 0u);
  EXPECT_EQ(kinds[RuleKind::kBad], 0u);
  printf("%s: %zu entries, %u lookups: %.4f %% expression, %u end, %u none, %u bad\n",
         GetParam().c_str(), reference.entries.size(), rows,
         100.0 * kinds[RuleKind::kExpression] / rows, kinds[RuleKind::kEndOfStack],
         kinds[RuleKind::kNone], kinds[RuleKind::kBad]);
}

TEST_P(CfiOfFile, DecodesAtRandomAddressesWithoutBadRules) {
  const auto elf = test::MappedElf::Open(GetParam());
  ASSERT_NE(elf, nullptr);
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto ranges = test::RangesOf(elf->module());
  ASSERT_GT(ranges.size(), 100u);
  uint32_t none = 0;
  for (int i = 0; i < 200000; ++i) {
    const test::CodeRange& range = ranges[random() % ranges.size()];
    if (range.begin == range.end) continue;
    const UnwindRule rule =
        DecodeRule(elf->module(), range.begin + random() % (range.end - range.begin));
    ASSERT_NE(rule.kind, RuleKind::kBad);
    none += rule.kind == RuleKind::kNone;
  }
  EXPECT_EQ(none, 0u);
  EXPECT_EQ(DecodeRule(elf->module(), elf->module().start - 1).kind, RuleKind::kNone);
  EXPECT_EQ(DecodeRule(elf->module(), elf->module().end).kind, RuleKind::kNone);
}

INSTANTIATE_TEST_SUITE_P(Files, CfiOfFile, testing::ValuesIn(test::InterestingFiles()),
                         [](const auto& info) {
                           std::string name = info.param.substr(info.param.rfind('/') + 1);
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return !isalnum(static_cast<unsigned char>(c)); }, '_');
                           return name + "_" + std::to_string(info.index);
                         });

}  // namespace
}  // namespace spprof
