// Keeps sampling and fork() apart: the profiling signal is held back in the forking thread, because
// a fast timer can interrupt a large fork before it gets anywhere, again and again (the kernel
// restarts it); and the child, which has inherited neither timers nor the drain, forgets the
// session.
//
// Context: control thread, once; the hooks run in fork().
#pragma once

namespace spprof {

// The hooks stay for good; the signal is that of the last call.
void InstallForkGuard(int signal);

}  // namespace spprof
