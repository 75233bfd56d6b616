// Lets one binary load wherever Node.js itself does: with glibc 2.28 and later.
//
// A newer glibc gives newer versions to functions that have not changed (pthread_create moved from
// libpthread to libc in 2.34), and a binary that was linked there does not load on an older one.
// The linker redirects each such function to the `__wrap_` function here (`--wrap`, for the
// objects of libstdc++ and libgcc too), which uses the version that has always been there, or the
// system call. The gate "glibc of the addon" (scripts/gates/glibc-floor.js) fails if another one
// comes in.
//
// Context: any; what is not safe in a signal handler is not called there either way.
// <dlfcn.h> declares glibc's own _dl_find_object, which is defined here under another type.
#define _dl_find_object glibcs_dl_find_object
#include <dlfcn.h>
#undef _dl_find_object
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#if defined(__GLIBC__)

#if defined(__x86_64__)
#define SPPROF_FIRST_GLIBC "GLIBC_2.2.5"
#define SPPROF_GLIBC_WITH_DLADDR1 "GLIBC_2.3.3"
#define SPPROF_GLIBC_WITH_SETNAME "GLIBC_2.12"
#define SPPROF_GLIBC_WITH_SETPROTOCOL "GLIBC_2.4"
#elif defined(__aarch64__)
#define SPPROF_FIRST_GLIBC "GLIBC_2.17"
#define SPPROF_GLIBC_WITH_DLADDR1 "GLIBC_2.17"
#define SPPROF_GLIBC_WITH_SETNAME "GLIBC_2.17"
#define SPPROF_GLIBC_WITH_SETPROTOCOL "GLIBC_2.17"
#else
#error "no versions of glibc's symbols are known for this processor"
#endif

// `old_<name>` is <name> as of `version`; `__wrap_<name>` is what the linker puts in its place.
#define SPPROF_OLD(name, version, result, parameters, arguments) \
  result old_##name parameters;                                  \
  __asm__(".symver old_" #name "," #name "@" version);           \
  result __wrap_##name parameters { return old_##name arguments; }

extern "C" {

SPPROF_OLD(pthread_create, SPPROF_FIRST_GLIBC, int,
           (pthread_t * thread, const pthread_attr_t* attributes, void* (*run)(void*), void* data),
           (thread, attributes, run, data))
SPPROF_OLD(pthread_detach, SPPROF_FIRST_GLIBC, int, (pthread_t thread), (thread))
SPPROF_OLD(pthread_join, SPPROF_FIRST_GLIBC, int, (pthread_t thread, void** result),
           (thread, result))
SPPROF_OLD(pthread_mutex_trylock, SPPROF_FIRST_GLIBC, int, (pthread_mutex_t * mutex), (mutex))
SPPROF_OLD(pthread_mutexattr_init, SPPROF_FIRST_GLIBC, int, (pthread_mutexattr_t * attributes),
           (attributes))
SPPROF_OLD(pthread_mutexattr_destroy, SPPROF_FIRST_GLIBC, int, (pthread_mutexattr_t * attributes),
           (attributes))
SPPROF_OLD(pthread_mutexattr_setprotocol, SPPROF_GLIBC_WITH_SETPROTOCOL, int,
           (pthread_mutexattr_t * attributes, int protocol), (attributes, protocol))
SPPROF_OLD(pthread_once, SPPROF_FIRST_GLIBC, int, (pthread_once_t * once, void (*run)()),
           (once, run))
SPPROF_OLD(pthread_sigmask, SPPROF_FIRST_GLIBC, int, (int how, const sigset_t* set, sigset_t* old),
           (how, set, old))
SPPROF_OLD(pthread_setname_np, SPPROF_GLIBC_WITH_SETNAME, int, (pthread_t thread, const char* name),
           (thread, name))
SPPROF_OLD(__pthread_key_create, SPPROF_FIRST_GLIBC, int,
           (pthread_key_t * key, void (*destroy)(void*)), (key, destroy))
SPPROF_OLD(dlsym, SPPROF_FIRST_GLIBC, void*, (void* handle, const char* name), (handle, name))
SPPROF_OLD(dladdr1, SPPROF_GLIBC_WITH_DLADDR1, int,
           (const void* address, Dl_info* info, void** extra, int flags),
           (address, info, extra, flags))

// The kernel's struct stat is glibc's on both processors.
int __wrap_fstat(int fd, struct stat* info) {
  return static_cast<int>(syscall(SYS_fstat, fd, info));
}
int __wrap_stat(const char* path, struct stat* info) {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, info, 0));
}
ssize_t __wrap_getdents64(int fd, void* buffer, size_t size) {
  return syscall(SYS_getdents64, fd, buffer, size);
}

// Of glibc 2.30. Before it, a wait ends by the system's clock: it is cut into pieces, so that a
// clock that is set meanwhile delays it by no more than one.
using ClockWait = int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  clockid_t clock, const timespec* deadline) {
  static const auto wait =
      reinterpret_cast<ClockWait>(old_dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));
  if (wait != nullptr) return wait(condition, mutex, clock, deadline);
  constexpr int64_t kSecondNs = 1'000'000'000;
  constexpr int64_t kPieceNs = 100'000'000;
  timespec now;
  clock_gettime(clock, &now);
  const int64_t left_ns =
      (deadline->tv_sec - now.tv_sec) * kSecondNs + deadline->tv_nsec - now.tv_nsec;
  if (left_ns <= 0) return ETIMEDOUT;
  const bool is_last = left_ns <= kPieceNs;
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  const int64_t end_ns = until.tv_nsec + (is_last ? left_ns : kPieceNs);
  until.tv_sec += end_ns / kSecondNs;
  until.tv_nsec = end_ns % kSecondNs;
  const int result = pthread_cond_timedwait(condition, mutex, &until);
  // To its caller, a piece that has passed is a wake-up without a reason.
  return result == ETIMEDOUT && !is_last ? 0 : result;
}

// Of glibc 2.35, and all that libgcc's unwinder asks where it was built with one: the module that
// holds an address, and the start of its .eh_frame_hdr. The first fields of glibc's struct.
struct FoundObject {
  uint64_t flags;
  void* map_start;
  void* map_end;
  link_map* map;
  void* eh_frame;
};

struct ObjectSearch {
  uintptr_t address;
  FoundObject* found;
};

static int LookIntoModule(dl_phdr_info* module, size_t size, void* data) {
  static_cast<void>(size);
  const auto* search = static_cast<const ObjectSearch*>(data);
  bool is_inside = false;
  uintptr_t eh_frame = 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr)& header = module->dlpi_phdr[i];
    const uintptr_t begin = module->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_GNU_EH_FRAME) eh_frame = begin;
    if (header.p_type != PT_LOAD || search->address - begin >= header.p_memsz) continue;
    is_inside = true;
    search->found->map_start = reinterpret_cast<void*>(begin);
    search->found->map_end = reinterpret_cast<void*>(begin + header.p_memsz);
  }
  if (!is_inside || eh_frame == 0) return 0;
  search->found->eh_frame = reinterpret_cast<void*>(eh_frame);
  return 1;
}

__attribute__((visibility("hidden"))) int _dl_find_object(void* address, FoundObject* found) {
  found->flags = 0;
  found->map = nullptr;
  ObjectSearch search = {reinterpret_cast<uintptr_t>(address), found};
  return dl_iterate_phdr(LookIntoModule, &search) == 1 ? 0 : -1;
}

// libstdc++'s reference counts (2.32) leave out atomic operations where this is not 0.
char __libc_single_threaded = 0;

}  // extern "C"

#endif  // __GLIBC__
