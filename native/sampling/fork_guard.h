// Keeps sampling and fork() apart: SIGPROF is held back in the forking thread, because a fast timer
// can interrupt a large fork before it gets anywhere, again and again (the kernel restarts it); and
// the child, which has inherited neither timers nor the drain, forgets the session.
//
// Context: control thread, once; the hooks run in fork().
#pragma once

namespace spprof {

// Does nothing from the second time on.
void InstallForkGuard();

}  // namespace spprof
