#include "base/utf.h"

#include <gtest/gtest.h>

namespace spprof {
namespace {

std::string FromUtf16(const std::u16string& text) {
  return Utf16ToUtf8({reinterpret_cast<const char*>(text.data()), text.size() * 2});
}

TEST(Utf, TurnsLatin1IntoUtf8) { EXPECT_EQ(Latin1ToUtf8("caf\xe9 \xff"), "caf\xc3\xa9 \xc3\xbf"); }

TEST(Utf, TurnsUtf16IntoUtf8) {
  EXPECT_EQ(FromUtf16(u"a\u00e9\u20ac\U0001f600"), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Utf, ReplacesLoneSurrogates) {
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(FromUtf16({0xd800}), replaced);
  EXPECT_EQ(FromUtf16({0xdc00, u'a'}), replaced + "a");
  EXPECT_EQ(FromUtf16({0xd83d, u'a'}), replaced + "a");
  EXPECT_EQ(FromUtf16({0xd83d, 0xd83d, 0xde00}), replaced + "\xf0\x9f\x98\x80");
}

TEST(Utf, IgnoresHalfAUnit) { EXPECT_EQ(Utf16ToUtf8({"a\0b", 3}), "a"); }

TEST(Utf, MakesTextValid) {
  EXPECT_EQ(ValidUtf8("plain \xe2\x82\xac"), "plain \xe2\x82\xac");
  EXPECT_EQ(ValidUtf8("cut \xe2\x82"),
            "cut \xef\xbf\xbd");  // as the kernel cuts thread names at 15 bytes
}

}  // namespace
}  // namespace spprof
