/**
 * The native binding (`build/Release/spprof.node`), as `lib/native/binding.js` sees it. Thin: JavaScript validates and words
 * the errors, native does the work. Public types are in `lib/index.d.ts`.
 *
 * Errors: every function throws (or rejects with) an `Error` whose `code` is one of
 * `ERR_SPPROF_RUNNING`, `ERR_SPPROF_NOT_RUNNING`, `ERR_SPPROF_TIMER` (the engine asked for cannot be used here), `ERR_SPPROF_SYSTEM` (a system call failed; `syscall` and `errno` are set),
 * `ERR_SPPROF_BAD_RECORDING` (a file that is not a recording, or is damaged beyond its header).
 */

/** What the sampler needs to know; all ranges have been checked by `lib/options/options.js`. */
export interface NativeOptions {
  /** CPU time (or wall time) between samples, nanoseconds. */
  intervalNs: number;
  /** The interval is not asked for: `auto` may give what the kernel's tick gives. */
  isTickEnough: boolean;
  mode: 'cpu' | 'wall';
  /** `auto`: the kernel's tick where it comes often enough, else perf where that is permitted. */
  timer: 'auto' | 'tick' | 'hires' | 'perf' | 'itimer';
  /** `'js'`: only threads that run JavaScript. */
  threads: 'all' | 'js';
  /** false: native frames are left out of the stacks. */
  native: boolean;
  /** Frames kept per stack, leaf first; a longer stack is marked truncated. */
  maxFrames: number;
  maxThreads: number;
  /** Size of one index ring and of one detail ring (a thread has four and two), bytes: powers of two from 4096 to 16777216. */
  indexRingBytes: number;
  detailRingBytes: number;
  /** Nanoseconds after which the sampling ends by itself; 0: it goes on until `stop()`. */
  durationNs: number;
  /** The profiling signal: `auto`: one that nobody uses; `SIGPROF`, `SIGALRM`, `SIGIO`, `SIGURG`, `SIGUSR2`, `SIGVTALRM`, or `SIGRTMIN+n`. */
  signal: string;
  /** Percent of the CPU time that the handler may take before the interval is made longer. */
  maxOverhead: number;
  /** SIGINT and SIGTERM end the recording, and then do what they would have done. */
  handleSignals: boolean;
  /** Folder for `region` and `log`, already made, or null: anonymous region, unlinked log. */
  directory: string | null;
  /** Where the recording was asked for, in words; for the error of whoever starts a second one. */
  startedAt: string;
}

/** Declared once, where the public types are. */
export type NativeStats = import('./lib/types/stats').Stats;
export type NativeShutdown = import('./lib/types/stats').Shutdown;

/** A process of a recording that holds several; in a recording of one, the recording's own fields say it. */
export interface NativeProcess {
  pid: number;
  /** Of its program: a script's without its extension, or the executable's. */
  name: string;
  startTimeMs: number;
  durationNs: number;
  nodeVersion: string;
  execPath: string;
  stoppedCleanly: boolean;
  stats: NativeStats;
}

export interface NativeThread {
  /** Its process: an index into `NativeRecording.processes`; missing: there is one only. */
  processId?: number;
  /** Dense, from 0; the same as in `threadIds` columns. */
  id: number;
  /** Kernel thread id. */
  tid: number;
  name: string;
  kind: 'main' | 'worker' | 'native';
  /** CPU time that this thread's samples stand for, nanoseconds. */
  cpuNs: number;
  /** Wall time that they stand for: in CPU mode the same, in wall mode with what it has slept. */
  wallNs: number;
  sampleCount: number;
  overruns: number;
  /** Samples not kept, by reason; reasons with none are left out. */
  dropped: Record<string, number>;
}

export interface NativeFrame {
  /** Empty for an anonymous JavaScript function; demangled for C++; without `Builtins_` for a builtin. */
  functionName: string;
  /** A script's URL as V8 has it (a path, `file:` or `node:` URL, or ''), or '' for native frames. */
  url: string;
  scriptId: number;
  /** Where the function is defined, 1-based; 0: unknown. */
  line: number;
  column: number;
  /** What was being run of the function, or the call that it was in, 1-based; 0: unknown. Frames of one function differ in it. */
  sampledLine: number;
  sampledColumn: number;
  kind: 'js' | 'native' | 'builtin' | 'gc' | 'truncated' | 'unknown-js' | 'reason' | 'compilation';
  tier: '' | 'interpreted' | 'baseline' | 'maglev' | 'turbofan' | 'optimized';
  /** Whether it ran as part of its caller's optimized code, the next frame's. */
  inlined: boolean;
  /** Path of the shared object or executable for native and builtin frames, else ''. */
  module: string;
  /** Offset of the function's first character in its script, UTF-16 units; -1: unknown. Used to find line and column in the file when V8 had not. */
  startOffset: number;
  /** Length of the script's source, UTF-16 units; 0: unknown. */
  sourceLength: number;
}

/** Frames with each text once. */
export interface PackedFrames {
  texts: string[];
  /** The properties of one `NativeFrame` after the other, in the order of their declaration; a text as its index in `texts`. */
  fields: Int32Array;
}

/** A block as samples have it: one entry for each way in which blocks were nested. */
export interface NativeSampleBlock {
  track: string;
  block: string;
  /** '': the default one. */
  profiler: string;
  /** The block around it: 1 + its index, which is smaller than its own; 0: none. */
  parent: number;
}

/** A recording as the binding hands it over; `lib/native/unpack.js` makes it a `NativeRecording`. */
export interface PackedRecording extends Omit<NativeRecording, 'frames'> {
  frames: PackedFrames;
  /** Source maps (`data:` URLs; '': not kept) that the texts of scripts hold, by their name and their length in UTF-16 units. */
  sourceMaps: NativeSourceMap[];
}

/** `name`: of what, in words, e.g. `CPU time`, `space`, `samples`. */
export interface Measure {
  name: string;
  unit: 'nanoseconds' | 'bytes' | 'count';
}

export interface NativeSourceMap {
  script: string;
  sourceLength: number;
  map: string;
}

/** One decoded recording, as columns. Node 0 of the stack tree is the root (no frame). */
export interface NativeRecording {
  /** What it was read from, when it is not ours: a format's name. Counters and process are unknown then. */
  importedFrom?: string;
  /** What the samples' values are, where they are neither CPU nor wall time: `sampleCpuNs` holds bytes or counts then. */
  measure?: Measure;
  /** The file could hold one thread only (`.cpuprofile`), whatever else ran. */
  isOneThread?: boolean;
  /** Of the process, or of the first of `processes`; so are `nodeVersion` and `execPath`. */
  pid: number;
  /** The program's name, where it is known. */
  program?: string;
  /** All processes, where there are several. */
  processes?: NativeProcess[];
  /** Unix time of the start, milliseconds. */
  startTimeMs: number;
  /** Length of the recording, nanoseconds. */
  durationNs: number;
  intervalNs: number;
  mode: 'cpu' | 'wall';
  timer: string;
  nodeVersion: string;
  execPath: string;
  threads: NativeThread[];
  frames: NativeFrame[];
  /** Stack tree: `stackParents[i] < i`, and `stackFrames[i]` indexes `frames`. A stack id is a node: its frame is the leaf. */
  stackParents: Uint32Array;
  stackFrames: Uint32Array;
  /** One element a sample, ordered by thread, then time. */
  sampleThreads: Uint32Array;
  /** When the sample was taken, nanoseconds since the start. */
  sampleTimes: Float64Array;
  /** CPU time that the sample stands for, ending at its time, nanoseconds. */
  sampleCpuNs: Float64Array;
  /** Wall time that the sample stands for: its CPU time; in wall mode also what a thread has slept, with bit 8 of its state. */
  sampleWallNs: Float64Array;
  sampleStacks: Uint32Array;
  /** Bits: 1 in garbage collection, 2 truncated, 4 incomplete (the thread's first function was not reached), 8 off the CPU (wall mode). */
  sampleStates: Uint8Array;
  /** The innermost block that the sample was taken in: 1 + its index in `blocks`; 0: none. */
  sampleBlocks: Uint32Array;
  blocks: NativeSampleBlock[];
  /** What the program has named with `mark`, in order of time; `detail`: JSON, or ''. Times in nanoseconds since the start. */
  marks: { timeNs: number; tid: number; processId?: number; name: string; detail: string }[];
  /** Shared objects and executables that were mapped; addresses as numbers. `buildId`: hexadecimal, or ''. */
  modules: { path: string; buildId: string; start: number; end: number; fileOffset: number }[];
  stats: NativeStats;
  /** false: the process ended without stopping the recording; what was published is here all the same. */
  stoppedCleanly: boolean;
}

/** Samples since the last batch, as columns; and what appears in them for the first time. */
export interface NativeBatch {
  /** Milliseconds since the start of the recording. */
  times: Float64Array;
  /** Nanoseconds. */
  cpuTimes: Float64Array;
  wallTimes: Float64Array;
  stackIds: Uint32Array;
  threadIds: Uint32Array;
  states: Uint8Array;
  /** As `NativeRecording.sampleBlocks`; `blocks` are numbered on from batch to batch, `firstBlock` is the index of their first. */
  blockIds: Uint32Array;
  firstBlock: number;
  blocks: NativeSampleBlock[];
  /** Number of the first of `frames`: they are numbered on from batch to batch. */
  firstFrame: number;
  frames: PackedFrames;
  newStackIds: Uint32Array;
  /** In frames. */
  newStackLengths: Uint32Array;
  /** Frame numbers of one new stack after the other, leaf first. */
  newStackFrames: Uint32Array;
  threads: NativeThread[];
  /** Ids of threads that have ended: no later batch has samples of them. */
  endedThreads: Uint32Array;
}

export interface NativeSubscription {
  ref(): void;
  unref(): void;
  /** What has been sampled by now is told, and then `end`; the recording goes on. */
  finish(): void;
  close(): void;
}

/** Begins to sample every thread of this process. At most one at a time. */
export function start(options: NativeOptions): void;
/** Stops, drains, decodes off the JavaScript thread. A decoded recording of more than `maxMemory` bytes is folded. */
export function stop(maxMemory?: number): Promise<PackedRecording>;
/** Why an engine cannot be used in this process, or `''`. */
export function timerProblem(timer: string): string;
/** Counters so far. */
export function stats(): NativeStats;
/** Until `resume()` no samples are taken. Returns false when it was so already. */
export function pause(): boolean;
export function resume(): boolean;
/** Nanoseconds; for all threads, from now on. */
export function setInterval(intervalNs: number): void;
/** What has been sampled until now, decoded off the JavaScript thread; the recording goes on. */
export function snapshot(maxMemory?: number): Promise<PackedRecording>;
/**
 * Calls `tell` on this thread's event loop, which it does not keep alive: `samples` from the recording's beginning on, in batches (if
 * they are wanted), `stats` every second, and `end`, once, when the recording has ended and everything has been told, or after `close`.
 */
export function subscribe(
  wantsSamples: boolean,
  tell: (event: 'samples' | 'stats' | 'end', value?: NativeBatch | NativeStats) => void,
): NativeSubscription;
/** Notes a moment of this thread; `detail`: JSON, or ''. false: nothing records. */
export function mark(name: string, detail: string): boolean;
/**
 * What JavaScript cannot ask the kernel for itself. `kernelTickNs`: between two ticks of the kernel, nanoseconds, 0 where
 * it is not known; `signalFrameBytes`: of the stack that the kernel uses to deliver a signal (AT_MINSIGSTKSZ), 0 or
 * missing where the kernel or the libc does not say; `pageBytes`.
 */
export function machineFacts(): { kernelTickNs: number; signalFrameBytes?: number; pageBytes: number };

export function isRunning(): boolean;
/** `NativeOptions.startedAt` of the recording that runs, whichever thread or copy of the library began it; '' when none does. */
export function startedAt(): string;
/** Time since the start of the recording that runs, nanoseconds; 0 when none does. */
export function elapsedNs(): number;
/** Lets go of a recording that has ended by itself (its duration, a lost region), so that another can be started. false: it goes on. */
export function retireEnded(): boolean;
/** Called by a thread that runs JavaScript: registers it at once, under this name ('': the one that it has). Returns false when it is refused or nothing records. */
export function registerThread(name: string): boolean;
/** No samples of the calling thread are kept until it is registered again. Returns false when nothing records it. */
export function leaveOutThread(): boolean;
/**
 * Decodes a finished recording: a folder with `region` and `log`, or a log file, or `length` bytes from `offset` on of a file that
 * holds several logs. Off the JavaScript thread.
 */
export function readRecording(
  path: string,
  maxMemory?: number,
  offset?: number,
  length?: number,
): Promise<PackedRecording>;
/**
 * Whether the process that writes the recording in `folder` lives: asked of a lock that it holds on `<folder>/log`, which the kernel
 * takes away at its death or execve, whatever PID namespace it is in; where the file system has no locks, of boot, PID namespace and
 * start time. `unknown`: there is no log, or neither can tell.
 */
export function processState(folder: string): 'alive' | 'dead' | 'unknown';
/**
 * Drains what is left in `<folder>/region` into `<folder>/log`; returns the number of bytes recovered. Rejects with
 * `ERR_SPPROF_RUNNING` while the process that writes it lives.
 */
export function recover(folder: string): Promise<number>;
/** Registry and lanes as a text for a person: of the running recording, or of `<folder>/region`. */
export function dump(folder?: string): string;

/**
 * A block's id, from 1 on: the same for the same names, in every thread of the process. 0: there are too many. `file` ('': unknown)
 * and `line`: where it is made; the first place that is given stays.
 */
export function blockFind(profiler: string, track: string, name: string, file: string, line: number): number;
/** From now on `enabled[0]` says whether the track is (1) or not (0). Its memory must not lie in V8's heap. */
export function blockTrack(profiler: string, track: string, enabled: Uint32Array): void;
/** In all threads. */
export function blockEnable(profiler: string, track: string, isEnabled: boolean): void;
/** The switch over all tracks; what each one is set to stays. */
export function blockEnableAll(isEnabled: boolean): void;
export function blocksEnabled(): boolean;
/** Starts a hit on this thread. `serial`: tells it from other open starts of the block, below 2^32, not 0. */
export function blockStart(id: number, serial: number): void;
/** Ends it; with `serial` 0 the one that was started last. None: counted in `blockProblems`. */
export function blockStop(id: number, serial: number): void;
/** Takes a start off the thread's stack; gives when it was, for `blockFinish`; -1: there is none. */
export function blockSuspend(id: number, serial: number): number;
export function blockFinish(id: number, started: number): void;
/** Names this thread in results. */
export function blockThread(name: string): void;
/** Blocks with at least one hit; with `perThread` a row for each thread. */
export function blockResults(profiler: string, perThread: boolean): import('./lib/types/blocks').BlockResult[];
/** Results begin anew. */
export function blockReset(profiler: string): void;
export function blockProblems(): import('./lib/types/blocks').BlockProblems;

/**
 * For the command: from now on each signal to this process that can be caught is kept for `relaySignals`; what a terminal sends to the
 * whole group is not, and a crash of this process stays one.
 */
export function catchSignals(): void;
/** Passes them on to the process that has been started, with a `SIGCHLD` handler that notes its end. Before the event loop runs again. */
export function relaySignals(pid: number): void;
/** How often each signal came, by its number. */
export function caughtSignals(): Record<number, number>;
/**
 * How the process ended: `signal` is its number (real-time ones too), or 0; null: it has not, or nothing was relayed. `cpuNs`: CPU time
 * of it and of the processes below it that have been waited for, nanoseconds; null: not known.
 */
export function programEnd(): { code: number; signal: number; cpuNs: number | null } | null;
/** The former actions are back. */
export function releaseSignals(): void;
