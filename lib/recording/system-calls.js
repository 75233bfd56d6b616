'use strict';

/**
 * The C library, and its functions that do little but call the kernel: time under them is the kernel's.
 */

const C_LIBRARY = /\/(libc|libpthread|ld-linux|ld-musl|libSystem|libsystem_kernel)[^/]*$|^\[vdso\]$/;

const CALLS = [
  'accept4? access bind brk chdir chmod chown clock_gettime clock_nanosleep clone3? close connect copy_file_range dup[23]?',
  'epoll_(create1?|ctl|p?wait2?) eventfd2? execve exit_group fallocate fchmod fchown fcntl(64)? fdatasync flock fork fstat(at)?(64)? fsync',
  'ftruncate(64)? futex(_wait|_wake)? getcwd getdents(64)? getpid getrandom getrusage gettid gettimeofday inotify_\\w+ io_uring_\\w+ ioctl',
  'kevent(64)? kill link(at)? listen lseek(64)? lstat(64)? madvise mkdir(at)? mmap(64)? mprotect mremap msync munmap nanosleep open(at)?(64)?',
  'pause pipe2? poll ppoll prctl pread(64|v)? preadv2? pselect pwrite(64|v)? pwritev2? read readahead readlink(at)? readv recv(from|m?msg)?',
  'rename(at2?)? rmdir sched_\\w+ select sem_\\w+ send(to|file(64)?|m?msg)? setsockopt shutdown sigaction sigprocmask socket(pair)? splice',
  'stat(64|x|fs)? symlink(at)? sync syscall tgkill timer_\\w+ timerfd_\\w+ unlink(at)? usleep utimensat vfork wait(4|id|pid)? write writev',
].join(' ');

const SYSTEM_CALL = new RegExp(
  `^(_|__|__libc_|__GI_|__GI___|__internal_)*(${CALLS.replaceAll(' ', '|')})(_nocancel|_cancel|@.*)?$`,
);

module.exports = { C_LIBRARY, SYSTEM_CALL };
