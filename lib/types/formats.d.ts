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
 * `.html`, `.txt`, `.md`; with `.gz` behind it compressed.
 */
export type Format = 'cpuprofile' | 'pprof' | 'collapsed' | 'speedscope' | 'flamegraph' | 'text' | 'markdown';

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
