/** The file formats that profiles are written in. */

export interface CpuProfileNode {
  id: number;
  callFrame: {
    functionName: string;
    scriptId: string;
    url: string;
    /** 0-based; -1: unknown or none. */
    lineNumber: number;
    columnNumber: number;
  };
  hitCount: number;
  /** The lines, 1-based, that the node's own samples were at; `ticks` are samples. */
  positionTicks?: { line: number; ticks: number }[];
  children: number[];
}

/** V8's `.cpuprofile`; times in microseconds. */
export interface CpuProfile {
  nodes: CpuProfileNode[];
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
  /** Where the profile comes from and what was lost. */
  'x-spprof': Record<string, unknown>;
}

/**
 * A file format; chosen by extension: `.cpuprofile`, `.pb.gz`/`.pprof`/`.pb`, `.collapsed`/`.folded`, `.speedscope.json`,
 * `.profile.json` (firefox), `.trace.json` (trace), `.html`, `.txt`, `.md`; with `.gz` behind it compressed.
 */
export type Format =
  | 'cpuprofile'
  | 'pprof'
  | 'collapsed'
  | 'speedscope'
  | 'firefox'
  | 'trace'
  | 'flamegraph'
  | 'text'
  | 'markdown';

/** https://www.speedscope.app/file-format-schema.json */
export interface SpeedscopeFile {
  $schema: string;
  name: string;
  exporter: string;
  activeProfileIndex: number;
  shared: { frames: { name: string; file?: string; line?: number; col?: number }[] };
  profiles: {
    type: 'sampled';
    name: string;
    unit: 'nanoseconds' | 'bytes' | 'none';
    startValue: number;
    endValue: number;
    samples: number[][];
    weights: number[];
  }[];
}

/**
 * The Firefox Profiler's processed profile format, version 62, as its repository documents it. Columns have one element a row; indices
 * lead from samples to stacks, frames, functions and strings, which all threads share.
 */
export interface FirefoxProfile {
  meta: {
    /** Milliseconds. */
    interval: number;
    /** Unix time, milliseconds. */
    startTime: number;
    product: string;
    version: number;
    preprocessedProfileVersion: number;
    categories: { name: string; color: string; subcategories: string[] }[];
    [key: string]: unknown;
  };
  libs: { name: string; path: string; codeId: string | null; [key: string]: unknown }[];
  shared: {
    stringArray: string[];
    stackTable: { length: number; frame: number[]; prefix: (number | null)[] };
    frameTable: {
      length: number;
      func: number[];
      category: (number | null)[];
      line: (number | null)[];
      [key: string]: unknown;
    };
    funcTable: { length: number; name: number[]; isJS: boolean[]; source: (number | null)[]; [key: string]: unknown };
    [key: string]: unknown;
  };
  threads: {
    name: string;
    isMainThread: boolean;
    pid: string;
    tid: number;
    samples: {
      length: number;
      stack: number[];
      /** Milliseconds since the start. */
      time: number[];
      /** Milliseconds of CPU time (wall mode: wall time); bytes or counts by `weightType`. */
      weight: number[];
      weightType: 'tracing-ms' | 'bytes' | 'samples';
      /** Nanoseconds. */
      threadCPUDelta: (number | null)[];
    };
    markers: {
      length: number;
      name: number[];
      startTime: number[];
      endTime: (number | null)[];
      data: { type: 'mark' | 'collection' | 'block'; detail?: string }[];
      [key: string]: unknown;
    };
    [key: string]: unknown;
  }[];
  [key: string]: unknown;
}

/** Chrome's trace events in JSON: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. */
export interface TraceFile {
  traceEvents: {
    name: string;
    cat: string;
    ph: string;
    pid: number;
    tid: number;
    /** Microseconds since the start of the recording. */
    ts: number;
    dur?: number;
    id?: string;
    args: Record<string, unknown>;
  }[];
  metadata: Record<string, unknown>;
  displayTimeUnit: 'ms';
}
