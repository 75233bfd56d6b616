/**
 * spprof: an in-process sampling profiler for Node.js.
 *
 * Errors carry a `code` (`ERR_SPPROF_…`); those of options also `option`, `given` and `allowed`.
 */

export * from './types/blocks';
export * from './types/findings';
export * from './types/formats';
export type { StartOptions } from './types/start-options';
export * from './types/stats';
export * from './types/threads';

import type { Advice, Category, Comparison, FunctionDifference, FunctionSummary } from './types/findings';
import type { CpuProfile, FirefoxProfile, Format, SpeedscopeFile, TraceFile } from './types/formats';
import type { StartOptions } from './types/start-options';
import type { Stats } from './types/stats';

/** A process of a recording: the only one, or one of those that a command has started. */
export interface ProfiledProcess {
  /** Dense, from 0; in a command's recording the process that used the most CPU time is 0. */
  id: number;
  pid: number;
  /** Of its program: a script's without its extension, or the executable's. */
  name: string;
  /** Unix time, milliseconds. */
  startTimeMs: number;
  durationNs: number;
  nodeVersion: string;
  /** false: it ended without stopping the recording. */
  stoppedCleanly: boolean;
  /** CPU time that its samples stand for, nanoseconds. */
  cpuNs: number;
  /** Wall time that they stand for: in CPU mode the same, in wall mode with what its threads have slept. */
  wallNs: number;
  sampleCount: number;
}

export interface ProfiledThread {
  /** Dense, from 0. */
  id: number;
  /** Of its process, as in `Profile.processes`. */
  processId: number;
  /** Kernel thread id. */
  tid: number;
  name: string;
  kind: 'main' | 'worker' | 'native';
  /** CPU time that the thread's samples stand for, nanoseconds. */
  cpuNs: number;
  /** Wall time that they stand for: in CPU mode the same, in wall mode with what the thread has slept. */
  wallNs: number;
  sampleCount: number;
  /** As in `Stats`. */
  overruns: number;
  /** Samples not kept, by reason; reasons with none are left out. */
  dropped: Record<string, number>;
}

export interface ProfiledSample {
  /** Since the start, milliseconds. */
  timeMs: number;
  /** CPU time that the sample stands for, nanoseconds; 0 with `isOffCpu`. */
  cpuNs: number;
  /** Wall time that it stands for. */
  wallNs: number;
  threadId: number;
  /** For `Profile.stack`. */
  stackId: number;
  isGc: boolean;
  isTruncated: boolean;
  isIncomplete: boolean;
  /** Wall mode: the thread slept on this stack. */
  isOffCpu: boolean;
  /** The innermost block that the sample was taken in, `track/name`; null: none. */
  block: string | null;
}

/** The program as its author wrote it, or every frame. */
export type View = 'program' | 'full';

/** A finished recording. */
export interface Profile {
  /** One sentence for each script whose source map could not be used; its generated positions are kept. */
  readonly sourceMapProblems: readonly string[];
  /** The processes that it holds, one or more. */
  readonly processes: ProfiledProcess[];
  /** Of the first process, as `nodeVersion` is. */
  readonly pid: number;
  /** Unix time, milliseconds. */
  readonly startTimeMs: number;
  readonly durationNs: number;
  readonly intervalUs: number;
  readonly mode: 'cpu' | 'wall';
  /** What the values are: CPU time, wall time, or what another profiler's file holds. Fields named `…Ns` hold bytes or counts where `unit` says so. */
  readonly measure: { name: string; unit: 'nanoseconds' | 'bytes' | 'count' };
  /** It was read from a format that holds one thread (`.cpuprofile`). */
  readonly isOneThread: boolean;
  /** The engine that was used. */
  readonly timer: string;
  readonly nodeVersion: string;
  /** false: the process ended without stopping the recording; what it had sampled is here. */
  readonly stoppedCleanly: boolean;
  readonly threads: ProfiledThread[];
  readonly stats: Stats;
  /** CPU time of all samples, nanoseconds. */
  readonly cpuNs: number;
  /** Wall time of all samples, nanoseconds; in CPU mode their CPU time. */
  readonly wallNs: number;
  readonly sampleCount: number;
  /** What the program has named with `mark`, by time. `threadId`: null when that thread has no sample. */
  readonly marks: { name: string; detail: unknown; timeMs: number; threadId: number | null }[];
  /**
   * Most self time first. Of every frame (`full` view), unless the profile was read, recorded or taken with the option `view`: see
   * `inView`.
   */
  readonly functions: FunctionSummary[];
  /** Where the time went, by whose code it was spent in; those without time are left out. */
  readonly categories: Category[];
  /**
   * The same profile in one view: its `functions`, samples, stacks and all its outputs. `'program'`: as the author of the program wrote
   * it. Frames of the runtime below the first JavaScript are one of the kind `'reason'` that says why it ran: `(main script)`,
   * `(timers)`, `(microtasks)`, `(I/O)`, `(immediates)`, `(worker script)`, `(libuv pool)`, `(V8 helper)`, `(native thread)`. What V8 does
   * counts for the function that set it off; garbage collection, `(compilation)` and `(parsing)` are rows of their own; native code is
   * there by the function that it was entered through. `'full'`: every frame, as sampled. Sums are the same in both. What another
   * profiler has recorded has one view.
   * @throws `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`
   */
  inView(view: View): Profile;
  /**
   * What is worth a change, by the rules in docs/advice.md: at most five findings, those that touch the most time first. `folder`: paths
   * below it are shown relative to it. None for profiles of bytes and counts.
   */
  advice(settings?: { folder?: string }): Advice[];
  /** The samples one by one, ordered by thread, then time. */
  samples(): Generator<ProfiledSample>;
  /**
   * The frames of a sample's stack, leaf first.
   * @throws {RangeError} `ERR_SPPROF_OPTION_RANGE`
   */
  stack(stackId: number): StackFrame[];
  /**
   * A profile of some samples: of these processes and threads, within a window of time (`fromMs` included, `toMs` not; since the start),
   * in garbage collection or not, in a block (`track/name`, or a name in any track) or a track, however deeply: also in blocks
   * within it. `stats` and `marks` stay those of the whole recording.
   * @throws {RangeError} `ERR_SPPROF_UNKNOWN_THREAD`, `ERR_SPPROF_UNKNOWN_PROCESS`
   */
  filter(which?: {
    processIds?: number[];
    threadIds?: number[];
    fromMs?: number;
    toMs?: number;
    isGc?: boolean;
    block?: string;
    track?: string;
  }): Profile;
  /**
   * This profile and others as one, processes and threads side by side. `pid` and `nodeVersion` are this one's.
   * @throws {RangeError} `ERR_SPPROF_NOT_ALIKE` when they differ in mode or interval
   */
  merge(...others: Profile[]): Profile;
  /** What has changed since `before`, function by function, the largest change of self time first; in program view unless another is asked for. */
  diff(before: Profile, settings?: { view?: View }): FunctionDifference[];
  /**
   * Which functions, and whether the whole, use more CPU time than in `before`, by more than `limit` (default 0.05) and beyond noise; for
   * programs that do the same work in both. In program view unless another is asked for.
   * @throws {RangeError} `ERR_SPPROF_NOT_ALIKE`
   */
  compare(before: Profile, settings?: { limit?: number; view?: View }): Comparison;
  /**
   * One thread as V8's `.cpuprofile`, in program view unless another is asked for; the main thread unless another is named by its `id`.
   * @throws {RangeError} `ERR_SPPROF_UNKNOWN_THREAD`
   */
  toCpuProfile(threadId?: number, settings?: { view?: View }): CpuProfile;
  /** All threads as collapsed stacks, root first, values in microseconds of CPU time; in program view unless another is asked for. */
  toCollapsed(settings?: { view?: View }): string;
  /** All threads as pprof's profile.proto, compressed with gzip: samples/count, cpu and wall/nanoseconds, labels `thread`, `thread id`, and of several processes `process`, `process id`. */
  toPprof(settings?: { view?: View }): Uint8Array;
  /** All threads in speedscope's file format, a profile each, weights in nanoseconds. */
  toSpeedscope(settings?: { view?: View }): SpeedscopeFile;
  /** All threads for the Firefox Profiler: categories and packages as colours; collections, blocks and marks as markers. In full view. */
  toFirefox(settings?: { view?: View }): FirefoxProfile;
  /** All threads as Chrome's trace events, for DevTools and Perfetto: samples, times in which they ran, collections, blocks, marks. In program view. */
  toTrace(settings?: { view?: View }): TraceFile;
  /**
   * The page, which opens offline, in this view (default: the program's); it can switch to the other. It holds text of the program's
   * sources (`sources: false` when the profile is made leaves it out), and reads their files for that.
   */
  toFlameGraph(settings?: { view?: View }): string;
  /**
   * The report for people: the categories, the hottest functions, what was lost. `limit`: rows, default 10; `folder`: paths below it are
   * shown relative to it; `hasEngine`: also how the recorder worked.
   */
  toText(settings?: {
    limit?: number;
    folder?: string;
    sort?: 'self' | 'total';
    view?: View;
    hasEngine?: boolean;
  }): string;
  /** The call tree for people. `threshold`: least share of all time, 0 to 1, default 0.01. */
  toTree(settings?: { threshold?: number; view?: View }): string;
  /**
   * Writes a file in the format of its extension, or of `format`; pprof, speedscope and firefox in full view, others in program view, unless
   * `view` says otherwise.
   * @returns its absolute path
   * @throws (rejects) `ERR_SPPROF_OUTPUT`, `ERR_SPPROF_UNKNOWN_FORMAT`, `ERR_SPPROF_UNAVAILABLE`
   */
  write(path: string, settings?: { format?: Format; threadId?: number; view?: View }): Promise<string>;
}

/** A frame of a streamed stack; the same object wherever it appears again. Positions are those of the code that runs: source maps are for the profile. */
export interface StackFrame {
  readonly functionName: string;
  /** The script's URL as V8 has it, `''` for native code. */
  readonly url: string;
  /** Where the function is defined, 1-based; 0: unknown. */
  readonly line: number;
  readonly column: number;
  /** What was being run of it, 1-based; 0: unknown. */
  readonly sampledLine: number;
  readonly sampledColumn: number;
  readonly kind: 'js' | 'native' | 'builtin' | 'gc' | 'truncated' | 'unknown-js' | 'reason' | 'compilation';
  readonly tier: '' | 'interpreted' | 'baseline' | 'maglev' | 'turbofan' | 'optimized';
  readonly inlined: boolean;
  /** Shared object or executable of native code, else `''`. */
  readonly module: string;
}

/** Samples as columns, one element a sample; of one thread in order of time. */
export interface SampleBatch {
  /** Milliseconds since the start of the session. */
  times: Float64Array;
  /** CPU time that the sample stands for, nanoseconds; with `tick` and `itimer` a share of the batch's. */
  cpuTimes: Float64Array;
  /** Wall time that the sample stands for, nanoseconds. */
  wallTimes: Float64Array;
  /** A stack's `id`, of this or an earlier batch. */
  stackIds: Uint32Array;
  /** A thread's `id`, of this or an earlier batch. */
  threadIds: Uint32Array;
  /** The innermost block that the sample was taken in: an `id` of `blocks`, of this or an earlier batch; 0: none. */
  blockIds: Uint32Array;
  /** Bits: 1 in garbage collection, 2 truncated, 4 incomplete. */
  states: Uint8Array;
  /** What appears for the first time; frames leaf first. */
  stacks: { id: number; frames: StackFrame[] }[];
  threads: { id: number; tid: number; name: string; kind: 'main' | 'worker' | 'native' }[];
  /** Ids of threads that have ended, once each: no later batch has samples of them. */
  endedThreads: number[];
  /** `parentId`: the block around it, 0: none. One block within different ones has an `id` for each. */
  blocks: { id: number; profiler: string; track: string; block: string; parentId: number }[];
  /** Samples left out before this batch because the consumer was slow; they are in the profile all the same. */
  dropped: number;
}

export interface SessionEvents {
  samples: [batch: SampleBatch];
  stats: [stats: Stats];
  warning: [message: string];
  end: [stats: Stats];
}

/**
 * A running recording. It keeps no process alive (`ref`, `unref`), unless a batch is being waited for: by `for await`, or a reader of
 * `stream()`. Events:
 *
 * - `samples`: from the beginning of the recording on, whenever the listener came, at most 20 batches a second;
 * - `stats`: the counters, every second and at the end;
 * - `warning`: a sentence about something that the recording cannot do, once each;
 * - `end`: the recording has ended (stopped, its duration over, by a signal), and everything has been told.
 *
 * `for await (const batch of session)` gives the same batches; a slow consumer loses some (`dropped`), never the recording.
 */
export interface Session extends AsyncIterable<SampleBatch> {
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  once<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  /** The batches as a readable stream in object mode. */
  stream(): import('node:stream').Readable;
  /**
   * Names this moment of the calling thread. `detail` must be JSON-serializable. Both are kept whole: a name of at most 65,536 bytes, a
   * detail of at most 900,000 bytes of JSON; what is longer throws `ERR_SPPROF_TOO_LARGE`.
   */
  mark(name: string, settings?: { detail?: unknown }): void;
  /** A profile of what has been sampled so far; the recording goes on. Its `stoppedCleanly` is false. */
  snapshot(): Promise<Profile>;
  /** As long as it runs, the session keeps the process alive; after `unref()`, as from the start, not. */
  ref(): this;
  unref(): this;
  /** `stop()`, without waiting. */
  [Symbol.dispose](): void;
  /** `stop()`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Where region and log are; null without `dir`, and in a recording by the command. */
  readonly directory: string | null;
  /** Counters so far; after `stop()`, the final ones. */
  stats(): Stats;
  /** Registry and lanes of the running session, as a text for a person. */
  dump(): string;
  /**
   * No samples until `resume()`, and no cost: timers are disarmed and kept. CPU time used meanwhile is no sample's; threads
   * that begin meanwhile are sampled from `resume()` on. Any number of times.
   * @returns false: it was paused already, or is about to end
   * @throws `ERR_SPPROF_NOT_RUNNING` after `stop()`
   */
  pause(): boolean;
  /** @returns false: it was not paused @throws `ERR_SPPROF_NOT_RUNNING` after `stop()` */
  resume(): boolean;
  /**
   * Another interval for all threads from now on, as `intervalUs` of `start()`. The engine stays: `tick` gives at most one
   * sample a kernel tick, however short the interval.
   * @throws `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`, `ERR_SPPROF_NOT_RUNNING` after `stop()`
   */
  setInterval(intervalUs: 'auto' | number): void;
  /** Ends the recording. Idempotent: every call gives the same promise. */
  stop(): Promise<Profile>;
}

/**
 * Begins to record every thread of this process. Where the command, or the preload, records it already, the session is a part of that
 * recording, from now until `stop()`: with the interval, mode and engine of the recording, whatever `options` say, and counters of all
 * of it; `pause()` and `durationS` are the session's own.
 * @throws `ERR_SPPROF_RUNNING` when a session runs already (the message says where it was started),
 *   `ERR_SPPROF_UNKNOWN_OPTION`, `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`, `ERR_SPPROF_UNAVAILABLE`,
 *   `ERR_SPPROF_NO_BINDING`, `ERR_SPPROF_SYSTEM`, `ERR_SPPROF_TIMER` (the engine asked for cannot be used here)
 */
export function start(options?: StartOptions): Session;

/**
 * Records while `fn` runs, until what it returns has settled.
 * @throws (rejects) what `fn` throws, and what `start` does
 */
export function profile<T>(
  fn: (session: Session) => T | Promise<T>,
  options?: StartOptions,
): Promise<{ result: T; profile: Profile }>;

/** Whether this process is being recorded, be it by `start()` or by the command `spprof`. */
export function isRecording(): boolean;

/**
 * Reads a finished recording: a log (`.spprof`), the folder of a process, or another profiler's `.cpuprofile`, pprof, speedscope,
 * collapsed stacks or `perf script`, also compressed.
 * @throws (rejects) `ERR_SPPROF_INPUT`, `ERR_SPPROF_BAD_RECORDING`, `ERR_SPPROF_NO_BINDING`
 */
export function readProfile(
  path: string,
  settings?: { sourceMaps?: boolean; sources?: boolean; maxMemory?: number; view?: View },
): Promise<Profile>;
