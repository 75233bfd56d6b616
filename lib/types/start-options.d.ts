/** Options of a recording; a key that is not here throws `ERR_SPPROF_UNKNOWN_OPTION`. */
export interface StartOptions {
  /** CPU time between samples, µs, 10 to 10,000,000. `'auto'`: 1 ms as the kernel's tick gives it. Default `'auto'`. */
  intervalUs?: 'auto' | number;
  /**
   * What is sampled: CPU time (default), or wall time: of a thread that sleeps too, with the stack that it sleeps on. For that
   * a thread gets one signal each time it has gone to sleep (a wait that is not restarted, such as epoll's, then returns
   * early), and none while it sleeps on. Times in the profile are wall times.
   */
  mode?: 'cpu' | 'wall';
  /**
   * What sets off a sample. `'tick'`: CPU-time timers, weighted, almost free, at most one sample a kernel tick; of
   * an interval longer than that, as many ticks as it asks for, at random (fewer samples, not fewer signals).
   * `'perf'`: the kernel's task clock (perf_event_open) for the time in the program's own code, where it is permitted, and the
   * kernel's tick for that in system calls; takes a file descriptor a thread, of at most a quarter of those that there may be.
   * `'hires'`: two monotonic timers a thread; on a CPU that threads share, the place where one loses it is charged for that, and
   * timed waits end early (EINTR).
   * `'auto'` (default): `'tick'` when `intervalUs` is `'auto'` or not less than the kernel's tick (4000 where HZ is 250), else
   * `'perf'`; where that is forbidden `'tick'`, and a warning says so.
   * `'itimer'`: `setitimer(ITIMER_PROF)`, one timer for the process; works everywhere, at most one sample a kernel tick.
   * Without this option, the environment variable `SPPROF_TIMER` chooses.
   */
  timer?: 'auto' | 'tick' | 'hires' | 'perf' | 'itimer';
  /** All threads of the process (default), or those that run JavaScript. */
  threads?: 'all' | 'js';
  /** false: native frames are left out of the stacks. Default true. */
  native?: boolean;
  /** Frames kept of a stack, leaf first, 1 to 4096. Default 512. */
  maxFrames?: number;
  /** Threads sampled at once, 1 to 65536. Default 4096. */
  maxThreads?: number;
  /**
   * Size of one ring for samples (a thread has four) and of one for stacks and names (two), bytes: powers of two from 4096 to
   * 16777216. Larger ones lose nothing when the drain is held up for longer. Default 16384 and 65536.
   */
  indexRingBytes?: number;
  detailRingBytes?: number;
  /**
   * Percent of the CPU time that may go into taking samples, 0.1 to 100. When it is more, the interval is made longer, a
   * warning says so, and `stats().intervalNs` is what it is now. Default 5.
   */
  maxOverhead?: number;
  /**
   * The signal that samples are taken in: `'auto'` (default) is a real-time signal that nobody has a handler for, so that V8's own
   * profiler and others, which use SIGPROF, go on working beside us; with the timers perf and itimer it is SIGPROF. Or
   * `'SIGPROF'`, `'SIGALRM'`, `'SIGIO'`, `'SIGURG'`, `'SIGUSR2'`, `'SIGVTALRM'`, `'SIGRTMIN+0'` to `'SIGRTMIN+29'`.
   */
  signal?: string;
  /** Seconds after which the sampling ends by itself, 0.001 to 2,592,000; `stop()` gives the profile as always. Default: none. */
  durationS?: number;
  /**
   * Memory for the profile that `stop()` makes, MB, 16 to 1,048,576. In a longer one, samples of one stack are added up within a window of
   * time, and, if there are too many stacks, the rarest ones become `(folded)`; `stats.folded` and a warning tell. Default 1024.
   */
  maxMemory?: number;
  /**
   * SIGINT and SIGTERM end the recording, its log safe on the disk, before they do what they would have done: run the
   * listeners that were there before `start()`, or end the process. Listeners added later take the signal as without us.
   * Useful with `dir`. The command `spprof` always does this. Default false.
   */
  handleSignals?: boolean;
  /** Original names, files and lines where a script has a source map. Default true. */
  sourceMaps?: boolean;
  /** Pages (`.html`) hold the text of the program's sources around the lines that have time, 4 MB at most. Default true. */
  sources?: boolean;
  /**
   * The view of the profile that `stop()` makes: of its `functions`, its samples' stacks, and all its outputs. `'program'`: as the
   * author of the program wrote it, without the frames of the runtime; `'full'`: every frame. Default: `functions` and stacks are in full
   * view, outputs in program view, except pprof and speedscope.
   */
  view?: 'program' | 'full';
  /**
   * Folder under which region and log are kept, in `<pid>-<n>`, so that the recording survives the process. Default:
   * none, all in memory.
   */
  dir?: string;
  /** Stops the recording when it is aborted. */
  abortSignal?: AbortSignal;
}
