#include "symbols/rust_v0.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "symbols/demangle.h"
#include "symbols/punycode.h"

namespace spprof {
namespace {

struct Pair {
  const char* symbol;
  const char* name;
};

// Of a library that rustc 1.95 has compiled with -C symbol-mangling-version=v0; binutils' c++filt
// has the same names, except that it adds the hashes of crates and the types of constants.
constexpr Pair kOfRustc[] = {
    {"_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeINtNtCsh537bOAIRKx_"
     "3lib5inner4WrapINtNtCslNYArtu3iFV_5alloc3vec3VechEEEBL_",
     "core::ptr::drop_in_place::<lib::inner::Wrap<alloc::vec::Vec<u8>>>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner4flagKb1_Kc78_Kan3_EB4_", "lib::inner::flag::<true, 'x', -3>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner5boxedNvB2_4pickEB4_",
     "lib::inner::boxed::<lib::inner::pick>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7genericReKj1_EB4_", "lib::inner::generic::<&str, 1>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7genericyKj2_EB4_", "lib::inner::generic::<u64, 2>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7pointerFKClElEB4_",
     "lib::inner::pointer::<extern \"C\" fn(i32) -> i32>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7pointerFUlEuEB4_", "lib::inner::pointer::<unsafe fn(i32)>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7pointerINtNtCsgEmfK2I1SDS_4core6option6OptionRDNtNtBF_"
     "3fmt5DebugNtNtBF_6marker4SendEL_EEB4_",
     "lib::inner::pointer::<core::option::Option<&dyn core::fmt::Debug + core::marker::Send>>"},
    {"_RINvNtCsh537bOAIRKx_3lib5inner7pointerINtNtCsgEmfK2I1SDS_4core6option6OptionRDNtNtNtNtBF_"
     "4iter6traits8iterator8Iteratorp4ItemmEL_EEB4_",
     "lib::inner::pointer::<core::option::Option<&dyn core::iter::traits::iterator::Iterator<Item "
     "= u32>>>"},
    {"_RNCNvCsh537bOAIRKx_3lib5roots0B3_", "lib::roots::{closure#0}"},
    {"_RNSNvYNCNvCsh537bOAIRKx_3lib5roots0INtNtNtCsgEmfK2I1SDS_"
     "4core3ops8function6FnOnceTReThEEE9call_once6vtableB8_",
     "<lib::roots::{closure#0} as core::ops::function::FnOnce<(&str, "
     "(u8,))>>::call_once::{shim:vtable#0}"},
    {"_RNvCsh537bOAIRKx_3lib3ext", "lib::ext"},
    {"_RNvMs_NtCsh537bOAIRKx_3lib5innerINtB4_4WrapINtNtCslNYArtu3iFV_5alloc3vec3VechEE3ownB6_",
     "<lib::inner::Wrap<alloc::vec::Vec<u8>>>::own"},
    {"_RNvNtCsh537bOAIRKx_3lib5inner4call", "lib::inner::call"},
    {"_RNvNtCsh537bOAIRKx_3lib5inneru9gre_6ka8l", "lib::inner::grüße"},
    {"_RNvXNtCsh537bOAIRKx_3lib5innerINtB2_4WrapINtNtCslNYArtu3iFV_5alloc3vec3VechEENtB2_"
     "5Speak5speakB4_",
     "<lib::inner::Wrap<alloc::vec::Vec<u8>> as lib::inner::Speak>::speak"},
    {"_RNvXNtCsh537bOAIRKx_3lib5innerINtB2_4WrapTRedEENtB2_5Speak5speakB4_",
     "<lib::inner::Wrap<(&str, f64)> as lib::inner::Speak>::speak"},
};

// Examples of the RFC, and what no program of ours made.
constexpr Pair kOthers[] = {
    {"_RNvC7mycrate3foo", "mycrate::foo"},
    {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
    {"_RINvNtC3std3mem8align_ofjdE", "std::mem::align_of::<usize, f64>"},
    {"_RNvC7mycrate3foo.llvm.1234", "mycrate::foo"},
    {"_RINvC1a1fAtj8_SbTuzEE", "a::f::<[u16; 8], [bool], ((), !)>"},
    {"_RINvC1a1fTaEPhOvQeE", "a::f::<(i8,), *const u8, *mut ..., &mut str>"},
    {"_RINvC1a1fFG_RL0_xERL0_xE", "a::f::<for<'a> fn(&'a i64) -> &'a i64>"},
    {"_RINvC1a1fDNtC1b1TEL_E", "a::f::<dyn b::T>"},
    {"_RINvC1a1fKca_E", "a::f::<'\\u{a}'>"},
    {"_RINvC1a1fKoffffffffffffffffff_E", "a::f::<0xffffffffffffffffff>"},
    {"_RNCNCC1a00", "a::{closure#0}::{closure#0}"},
    {"_RNCNvC1a1fs_0", "a::f::{closure#1}"},
};

TEST(RustV0, NamesAreAsTheLanguageWritesThem) {
  for (const auto& [symbol, name] : kOfRustc) EXPECT_EQ(DemangleRustV0(symbol), name) << symbol;
  for (const auto& [symbol, name] : kOthers) EXPECT_EQ(DemangleRustV0(symbol), name) << symbol;
  EXPECT_EQ(Demangle("_RNvC7mycrate3foo@plt"), "mycrate::foo@plt");
}

TEST(RustV0, WhatIsNoneIsLeftAsItIs) {
  for (const char* other :
       {"", "_R", "_R0C1a", "_Rfoo", "_RNvC1a", "_RNvC1a9f", "_RC1a!", "main", "_RNvB_1f",
        "_RINvC1a1fKp", "_RINvC1a1fKb2_E", "_RINvC1a1fRL0_xE", "_RNvC1au3___"}) {
    EXPECT_EQ(DemangleRustV0(other), std::nullopt) << other;
    EXPECT_EQ(Demangle(other), other);
  }
}

TEST(RustV0, ANameThatStandsForAnEndlessOneIsRefused) {
  // Each pair of references doubles what is written.
  std::string bomb = "_RINvC1a1f";
  std::string last = "u";
  for (int i = 0; i < 64; i++) {
    const size_t at = bomb.size() - 2;
    bomb += "T" + last + last + "E";
    std::string number;
    for (uint64_t value = at - 1;; value /= 62) {
      const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
      number.insert(number.begin(), digits[value % 62]);
      if (value < 62) break;
    }
    last = "B" + number + "_";
  }
  EXPECT_EQ(DemangleRustV0(bomb + "E"), std::nullopt);
  EXPECT_EQ(DemangleRustV0("_RINvC1a1f" + std::string(100'000, 'S') + "uE"), std::nullopt);
}

TEST(RustV0, EveryPrefixOfANameEnds) {
  for (const auto& [symbol, name] : kOfRustc) {
    const std::string whole = symbol;
    for (size_t i = 0; i < whole.size(); i++) {
      std::string damaged = whole;
      DemangleRustV0(whole.substr(0, i));
      for (const char c : {'B', 'E', 'I', '0', 'z', '_'}) {
        damaged[i] = c;
        DemangleRustV0(damaged);
      }
    }
  }
}

TEST(Punycode, IsAsTheRfcHasIt) {
  const auto decoded = [](const char* text) {
    std::string out;
    return AppendPunycode(text, &out) ? out : std::string("none");
  };
  // RFC 3492, section 7.1 (B, and L); the delimiter is '_' here.
  EXPECT_EQ(decoded("ihqwcrb4cv8a8dqg056pqjye"),
            "\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587");
  EXPECT_EQ(decoded("3B_ww4c5e180e575a65lsy2b"), "3\u5e74B\u7d44\u91d1\u516b\u5148\u751f");
  EXPECT_EQ(decoded("gre_6ka8l"), "gr\u00fc\u00dfe");
  EXPECT_EQ(decoded(""), "none");
  EXPECT_EQ(decoded("a_"), "none");
  EXPECT_EQ(decoded("99999999"), "none");
  EXPECT_EQ(decoded("A_!"), "none");
}

}  // namespace
}  // namespace spprof
