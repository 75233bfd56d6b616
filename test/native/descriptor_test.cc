// Descriptors that the program closes, and uses for files of its own.
#include "platform/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "core_support.h"
#include "log/log_writer.h"
#include "log_contents.h"

namespace spprof {
namespace {

int OpenNew(const std::string& path) { return open(path.c_str(), O_RDWR | O_CREAT, 0600); }

TEST(Descriptors, AreHighAndClosedUponExec) {
  test::TemporaryFolder folder;
  const Descriptor descriptor(OpenNew(folder / "a"));
  EXPECT_GE(descriptor.Get(), 100);
  EXPECT_EQ(fcntl(descriptor.Get(), F_GETFD), FD_CLOEXEC);
}

TEST(Descriptors, AreGoneWhenTheProgramHasClosedThem) {
  test::TemporaryFolder folder;
  Descriptor descriptor(OpenNew(folder / "a"));
  const int number = descriptor.Get();
  close(number);
  EXPECT_EQ(descriptor.Get(), -1);
  const int other = OpenNew(folder / "b");
  ASSERT_EQ(dup2(other, number), number);
  EXPECT_EQ(descriptor.Get(), -1);
  descriptor = Descriptor();
  EXPECT_NE(fcntl(number, F_GETFD), -1) << "the program's file was closed";
  close(other);
  close(number);
}

TEST(Descriptors, StayWhereTheyAreWhenAllHighOnesAreTaken) {
  struct rlimit before, few;
  getrlimit(RLIMIT_NOFILE, &before);
  few = {24, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  std::vector<Descriptor> all;
  int fd;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0) all.emplace_back(fd);
  EXPECT_FALSE(CanOpen(1));
  for (const Descriptor& descriptor : all) EXPECT_GE(descriptor.Get(), 0);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(CanOpen(16));
}

TEST(Descriptors, AreNotKeptByAForkedChild) {
  test::TemporaryFolder folder;
  const Descriptor descriptor(OpenNew(folder / "a"));
  const pid_t child = fork();
  if (child == 0) {
    CloseDescriptorsInChild();
    _exit(fcntl(descriptor.Get(), F_GETFD) == -1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_GE(descriptor.Get(), 0);
}

TEST(Descriptors, OfALogWithANameAreOpenedAgain) {
  test::TemporaryFolder folder;
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  log.AddStat("first", 1);
  ASSERT_TRUE(log.Flush());
  const int number = log.file()->Get();
  close(number);
  const int mine = OpenNew(folder / "mine");
  ASSERT_EQ(dup2(mine, number), number);
  log.AddStat("second", 2);
  EXPECT_TRUE(log.Flush());
  EXPECT_EQ(test::ReadContents(folder / "log").stats.size(), 2u);
  EXPECT_EQ(test::ReadFile(folder / "mine"), "");
  close(mine);
  close(number);
}

TEST(Descriptors, OfALogWithoutOneEndItWithTheReason) {
  test::TemporaryFolder folder;
  LogWriter log;
  ASSERT_TRUE(log.CreateUnnamed().ok());
  const int number = log.file()->Get();
  close(number);
  const int mine = OpenNew(folder / "mine");
  ASSERT_EQ(dup2(mine, number), number);
  log.AddStat("second", 2);
  EXPECT_FALSE(log.Flush());
  EXPECT_TRUE(log.IsGone());
  EXPECT_NE(log.failure().find("has closed"), std::string::npos) << log.failure();
  EXPECT_EQ(test::ReadFile(folder / "mine"), "");
  close(mine);
  close(number);
}

}  // namespace
}  // namespace spprof
