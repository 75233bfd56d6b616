#include "profile/source_positions.h"

#include <gtest/gtest.h>

#include "base/utf.h"
#include "log_fixture.h"

namespace spprof {
namespace {

std::string At(const LineTable& table, uint32_t offset) {
  const auto position = table.At(offset);
  if (!position.has_value()) return "nowhere";
  return std::to_string(position->line) + ":" + std::to_string(position->column);
}

TEST(LineTable, CountsFromOne) {
  const LineTable table("ab\ncd\n");
  EXPECT_EQ(table.length(), 6u);
  EXPECT_EQ(At(table, 0), "1:1");
  EXPECT_EQ(At(table, 2), "1:3");
  EXPECT_EQ(At(table, 3), "2:1");
  EXPECT_EQ(At(table, 6), "3:1");
  EXPECT_EQ(At(table, 7), "nowhere");
}

TEST(LineTable, EndsLinesWhereV8Does) {
  //                    0123   4 5 6  7       8        9
  const LineTable table(
      "a\nb\r\nc\rd\xe2\x80\xa8"
      "e\xe2\x80\xa9"
      "f");
  EXPECT_EQ(table.length(), 12u);
  EXPECT_EQ(At(table, 2), "2:1");   // b
  EXPECT_EQ(At(table, 4), "2:3");   // the \n of \r\n still belongs to b's line
  EXPECT_EQ(At(table, 5), "3:1");   // c
  EXPECT_EQ(At(table, 7), "4:1");   // d
  EXPECT_EQ(At(table, 9), "5:1");   // e, after U+2028
  EXPECT_EQ(At(table, 11), "6:1");  // f, after U+2029
}

TEST(LineTable, CountsUtf16Units) {
  const LineTable table("\xf0\x9f\x98\x80\xc3\xa9x");  // an emoji (two units), e acute, x
  EXPECT_EQ(table.length(), 4u);
  EXPECT_EQ(At(table, 3), "1:4");
}

TEST(LineTable, LeavesOutAByteOrderMarkAndKeepsAHashbang) {
  EXPECT_EQ(LineTable("\xef\xbb\xbfx").length(), 1u);
  const LineTable table("#!/usr/bin/env node\nx");
  EXPECT_EQ(At(table, 20), "2:1");
}

TEST(LineTable, CountsMalformedBytesAsNodeDoes) {
  // `Buffer.from(...).toString().length` of Node 22 for the same bytes.
  EXPECT_EQ(LineTable("\xff").length(), 1u);
  EXPECT_EQ(LineTable("\xe2\x80").length(), 1u);  // one subpart
  EXPECT_EQ(LineTable("\xe2\x80x").length(), 2u);
  EXPECT_EQ(LineTable("\xed\xa0\x80").length(), 3u);  // a surrogate: three
  EXPECT_EQ(LineTable("\xf0\x9f\x98").length(), 1u);
  EXPECT_EQ(LineTable("\xc0\xaf").length(), 2u);          // overlong
  EXPECT_EQ(LineTable("\xf5\x80\x80\x80").length(), 4u);  // above U+10FFFF
}

TEST(PathOfScript, KnowsPathsAndFileUrls) {
  EXPECT_EQ(PathOfScript("/a/b.js"), "/a/b.js");
  EXPECT_EQ(PathOfScript("file:///a/b%20c.mjs?v=2#x"), "/a/b c.mjs");
  EXPECT_EQ(PathOfScript("file://localhost/a"), "/a");
  EXPECT_EQ(PathOfScript("file://elsewhere/a"), std::nullopt);
  EXPECT_EQ(PathOfScript("node:fs"), std::nullopt);
  EXPECT_EQ(PathOfScript("evalmachine.<anonymous>"), std::nullopt);
  EXPECT_EQ(PathOfScript(""), std::nullopt);
}

TEST(SourcePositions, FindsAPositionInTheFileThatWasRun) {
  const fixture::TemporaryFile file("let a;\nfunction f() {}\n", ".js");
  SourcePositions positions;
  for (const std::string& name : {file.path(), "file://" + file.path()}) {
    const auto position = positions.Find(name, 23, 17);
    ASSERT_TRUE(position.has_value());
    EXPECT_EQ(position->line, 2u);
    EXPECT_EQ(position->column, 11u);
  }
}

TEST(SourcePositions, DoesNotGuessWhenTheFileHasChanged) {
  const fixture::TemporaryFile file("let a;\n", ".js");
  SourcePositions positions;
  EXPECT_FALSE(positions.Find(file.path(), 8, 1).has_value());
  EXPECT_FALSE(positions.Find(file.path(), 0, 1).has_value());
  EXPECT_FALSE(positions.Find("/nowhere/x.js", 7, 1).has_value());
  EXPECT_FALSE(positions.Find("/tmp", 7, 1).has_value());
}

TEST(SourcePositions, ReadsAFileOnce) {
  fixture::TemporaryFile file("one\ntwo\n", ".js");
  SourcePositions positions;
  EXPECT_TRUE(positions.Find(file.path(), 8, 4).has_value());
  file.Write("changed since");
  EXPECT_TRUE(positions.Find(file.path(), 8, 4).has_value());
}

TEST(FindInLines, GivesLineAndColumnFromTheFunctionsStart) {
  const std::string_view lengths("\x03\x80\x01\x02", 4);  // 3, 128, 2
  const auto find = [lengths](uint32_t offset) {
    const auto found = FindInLines(lengths, offset);
    return found ? std::to_string(found->lines) + ":" + std::to_string(found->columns) : "none";
  };
  EXPECT_EQ(find(0), "0:0");
  EXPECT_EQ(find(2), "0:2");
  EXPECT_EQ(find(3), "1:0");
  EXPECT_EQ(find(130), "1:127");
  EXPECT_EQ(find(131), "2:0");
  EXPECT_EQ(find(132), "2:1");
  EXPECT_EQ(find(133), "none");
  EXPECT_FALSE(FindInLines("", 0).has_value());
  EXPECT_FALSE(FindInLines("\xff\xff\xff\xff\xff\xff\x01", 5).has_value()) << "damage";
  EXPECT_FALSE(FindInLines("\x80", 0).has_value()) << "breaks off";
}

}  // namespace
}  // namespace spprof
