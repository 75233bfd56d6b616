// Whether the process that writes a recording lives: by its lock, and without one by its name.
#include "session/liveness.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core_support.h"
#include "log/log_writer.h"
#include "session/profiler.h"

namespace spprof {
namespace {

class Liveness : public testing::Test {
 protected:
  // A log as a process begins it; `flags` as in ProcessRecord.
  void Begin(LogWriter* log, const ProcessIdentity& identity, uint16_t flags) {
    ASSERT_TRUE(log->Create(folder_ / "log").ok());
    ProcessRecord record{};
    record.header.flags = flags;
    record.pid = identity.pid;
    record.start_ticks = identity.start_ticks;
    record.pid_namespace = identity.pid_namespace;
    record.boot_id_length = static_cast<uint32_t>(identity.boot_id.size());
    log->AddControl(record, RecordType::kProcess, identity.boot_id);
    ASSERT_TRUE(log->Flush());
  }
  ProcessState StateWithoutLock(const ProcessIdentity& identity) {
    {
      LogWriter log;
      Begin(&log, identity, 0);
    }
    const ProcessState state = StateOfRecording(folder_.path());
    unlink((folder_ / "log").c_str());
    return state;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Liveness, ALockedLogHasALivingWriter) {
  {
    LogWriter log;
    Begin(&log, {}, kProcessHasLock);
    if (!log.is_locked()) GTEST_SKIP() << "this file system has no locks";
    EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kAlive);
    EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kAlive) << "looking unlocked it";
  }
  EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kDead);
}

TEST_F(Liveness, AKilledWriterIsDeadAtOnceAndItsForkedChildIsNoWriter) {
  int ready[2], hold[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(hold), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    close(hold[1]);
    LogWriter log;
    Begin(&log, ProcessIdentity::OfThisProcess(), kProcessHasLock);
    char byte = 0;
    if (fork() == 0) {
      CloseDescriptorsInChild();  // as the fork guard does
      _exit(write(ready[1], &byte, 1) == 1 && read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    while (true) pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kAlive);
  uint64_t bytes = 0;
  EXPECT_STREQ(RecoverRecording(folder_.path(), &bytes).code(), kErrRunning);
  kill(writer, SIGKILL);
  waitpid(writer, nullptr, 0);
  EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kDead);
  EXPECT_TRUE(RecoverRecording(folder_.path(), &bytes).ok());
  for (int fd : {ready[0], ready[1], hold[0], hold[1]}) close(fd);
}

TEST_F(Liveness, WithoutALockItIsAskedOfBootNamespaceAndStartTime) {
  const ProcessIdentity own = ProcessIdentity::OfThisProcess();
  if (own.start_ticks == 0 || own.boot_id.empty()) GTEST_SKIP() << "/proc does not tell";
  EXPECT_EQ(StateWithoutLock(own), ProcessState::kAlive);
  ProcessIdentity other = own;
  other.start_ticks++;  // the number has been given to another process
  EXPECT_EQ(StateWithoutLock(other), ProcessState::kDead);
  other = own;
  other.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(StateWithoutLock(other), ProcessState::kDead);
  other = own;
  other.pid_namespace++;
  EXPECT_EQ(StateWithoutLock(other), ProcessState::kUnknown);
}

TEST_F(Liveness, WithoutALogNothingIsKnown) {
  EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kUnknown);
  EXPECT_EQ(StateOfRecording("/nowhere/at/all"), ProcessState::kUnknown);
  test::WriteFile(folder_ / "log", "no log");
  EXPECT_EQ(StateOfRecording(folder_.path()), ProcessState::kUnknown);
}

}  // namespace
}  // namespace spprof
