/** Blocks and tracks: named sections of a program that it times itself, beside the sampling. */

/** Of one block: over all threads, or of one. Times in nanoseconds. */
export interface BlockResult {
  track: string;
  block: string;
  /** Where the program first made it, a path and a line from 1 on, as in its own stack traces; `''` and 0: not known. */
  file: string;
  line: number;
  /** With `perThread`: the thread's name, `''` for those that have ended long ago, taken together. */
  thread?: string;
  /** With `perThread`: kernel thread id, or 0. */
  tid?: number;
  /** With `perThread`: the thread has ended. */
  hasEnded?: boolean;
  hitCount: number;
  /** Wall time from start to stop, of all hits: of a block within itself, the inner time counts for both. */
  totalNs: number;
  minNs: number;
  maxNs: number;
  meanNs: number;
  /** From a log-linear histogram (16 buckets an octave), interpolated. */
  p50Ns: number;
  p99Ns: number;
}

/** What did not go as it should, over all threads and profilers of the process. */
export interface BlockProblems {
  /** `stop()` without a `start()`. */
  unbalancedStops: number;
  /** Started and not stopped: now, or when the thread ended. */
  open: number;
  /** Not timed: 65,536 starts were open, or there was no memory. */
  lost: number;
}

/** One start. */
export interface BlockSpan {
  /** Ends this start, whatever else of the block is open. A second time it does nothing. */
  stop(): void;
  /** `stop()`: `using span = handle.start();` */
  [Symbol.dispose](): void;
}

/**
 * A block of this thread. Samples that are taken between start and stop carry its name, or that of a block started within it.
 */
export interface BlockHandle {
  readonly track: string;
  readonly name: string;
  /** Starts a hit. The block labels all samples of this thread until it is stopped, also across `await`. */
  start(): BlockSpan;
  /** Ends the hit that was started last. Without a start it is counted in `problems()`. */
  stop(): void;
  /**
   * Runs `fn` as a hit and gives what it returns. Of a promise, the hit lasts until it has settled (and what is returned is a
   * promise derived from it); its samples are labelled up to its first wait.
   */
  measure<T>(fn: () => T): T;
  /** A function that does what `fn` does, each call a hit, as with `measure`. */
  wrap<T, A extends unknown[], R>(fn: (this: T, ...values: A) => R): (this: T, ...values: A) => R;
}

export interface BlockTrack {
  readonly name: string;
  /** Whether its blocks are timed: it is enabled, and so are all (`enableBlocks`). */
  readonly enabled: boolean;
  /** In all threads. */
  enable(): this;
  /** In all threads: from now on its blocks are not timed, at the cost of a branch each. What is open is still counted. */
  disable(): this;
}

export interface BlockProfiler {
  readonly name: string;
  /**
   * The same handle for the same names. Names are kept for good: do not make them from data.
   * @throws `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`, `ERR_SPPROF_TOO_MANY_BLOCKS` (16,383), `ERR_SPPROF_NO_BINDING`
   */
  block(track: string, name: string): BlockHandle;
  track(name: string): BlockTrack;
  enable(track: string): void;
  disable(track: string): void;
  /** Blocks with at least one hit, in order of their first use; threads go on meanwhile. */
  results(settings?: { perThread?: boolean }): BlockResult[];
  /** Results begin anew on all threads. What is open counts when it is stopped. */
  reset(): void;
  problems(): BlockProblems;
  toCsv(settings?: { perThread?: boolean }): string;
  toJson(settings?: { perThread?: boolean }): string;
  /** A table for people, most time first. */
  toText(settings?: { perThread?: boolean }): string;
  /**
   * As `.csv`, `.json` or `.txt`.
   * @returns the absolute path
   * @throws (rejects) `ERR_SPPROF_UNKNOWN_FORMAT`, `ERR_SPPROF_OUTPUT`
   */
  write(path: string, settings?: { perThread?: boolean }): Promise<string>;
}

/** The default profiler. */
export const blocks: BlockProfiler;
/** `blocks.block(track, name)` */
export function block(track: string, name: string): BlockHandle;
/** `blocks.track(name)` */
export function track(name: string): BlockTrack;
/** Another profiler beside the default one, with tracks, results and resets of its own; the same one for the same name. */
export function blockProfiler(name: string): BlockProfiler;
/**
 * The switch over all blocks: of all tracks and profilers, in all threads and in native code, at any time. Off: none is timed, at the
 * cost of a branch each; what is open is still counted. On: each track is as it was set.
 * @throws `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_NO_BINDING`
 */
export function enableBlocks(isEnabled: boolean): void;
/** Where the switch is; on at the start. */
export function blocksEnabled(): boolean;
