/** What a recording counts of itself. */

/** Counters of a recording. `signals = written + sum(dropped)`; times in nanoseconds. */
export interface Stats {
  signals: number;
  written: number;
  drained: number;
  /** Samples not kept, by reason. */
  dropped: Record<string, number>;
  /** Intervals that passed without a sample of their own, because the kernel's tick is longer or a signal waited. */
  overruns: number;
  /** Samples that have become part of others of their stack, to keep a long profile within `maxMemory`. `written = sampleCount + folded`. */
  folded: number;
  /** Stacks of more than `maxFrames` frames: some between the leaf's part and the root's are left out, or all beyond the leaf's part. */
  truncated: number;
  /** Stacks whose walk ended before the thread's first function. */
  incomplete: number;
  /** Samples whose stack the log has lost: they are shown as `(lost)`, and count as written. */
  stacksLost: number;
  threadsLive: number;
  threadsSeen: number;
  threadsRefused: number;
  /** Time spent in the signal handler. */
  handlerNs: { p50: number; p99: number; max: number; mean: number; total: number };
  /** CPU time of all threads since the start. */
  cpuNs: number;
  /** CPU time that the samples in the log stand for: of the threads that have been sampled, without pauses. */
  sampledCpuNs: number;
  /** CPU time between samples as it is now, or was at the end: what was asked for, or what `setInterval()` or `maxOverhead` has made of it. */
  intervalNs: number;
  /** What the engine's timers go by: `thread-cpu` (tick), `monotonic` (hires), `task-clock` (perf), `process-cpu` (itimer). */
  clock: string;
  /** The signal that samples are taken in; `''`: the recording was cut off. */
  signal: string;
  /** Samples per second of the CPU time that they stand for: by the interval, and in fact. Wall mode's samples of sleeping threads do not count. */
  rate: { asked: number; achieved: number };
  /**
   * Percent of the CPU time without that in pauses: measured in the handler; and estimated, what the signals' delivery
   * costs besides. Of all CPU time: what the thread uses that writes the log (it takes no time from the others where a
   * CPU is free); 0 if that is not known, in a snapshot or after a kill.
   */
  overhead: { handlerPercent: number; deliveryPercent: number; drainPercent: number };
  /** What the delivery of one signal takes, measured at the start. */
  deliveryNs: number;
  /** Time in pauses. */
  pausedNs: number;
  bytes: number;
  drainLagNs: number;
  warnings: string[];
  /** How the recording ended and how long each phase took; null: it goes on, or was cut off (killed); also
   * where recordings of several processes are one (`Profile.stoppedCleanly` says whether all ended in order). */
  shutdown: Shutdown | null;
}

/** The end of a recording; times in nanoseconds. */
export interface Shutdown {
  /** `lost`: its files have gone (cut off, a broken disk, descriptors that the program has closed); a warning says how. */
  reason: 'stop' | 'duration' | 'signal' | 'exit' | 'lost';
  /** From the request for the end (`stop()`, the signal, …) to the end of the last phase. */
  totalNs: number;
  /** Of that, from the request to the first phase: what the thread that ends the recording has waited for a CPU. */
  waitNs: number;
  /** In order: stop_accepting, stop_timers, flush_lanes, final_drain, sync, release. `cutShort`: its deadline passed. */
  phases: { name: string; tookNs: number; cutShort: boolean }[];
}
