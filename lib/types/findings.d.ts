/** What a profile says: times of functions, categories, changes, advice. */

/** One function over all threads. Garbage collection is one function, `(garbage collector)`. */
export interface FunctionSummary {
  /** `(anonymous)` for a function without a name. */
  functionName: string;
  /** The script's URL as V8 has it, `''` for native code. */
  url: string;
  /** Where the function is defined, 1-based; 0: unknown. */
  line: number;
  column: number;
  kind: 'js' | 'native' | 'builtin' | 'gc' | 'truncated' | 'unknown-js' | 'reason' | 'compilation';
  /** Shared object or executable of native code, else `''`. */
  module: string;
  /** CPU time, or in wall mode wall time, with this function on top of the stack, nanoseconds. */
  selfNs: number;
  /** The same with this function anywhere on the stack, nanoseconds. */
  totalNs: number;
  /** Samples with this function on top. */
  sampleCount: number;
  /** The threads on which it was on top. */
  threadIds: number[];
}

/** One function in two profiles. Shares are of all CPU time of the profile, 0 to 1; changes are differences of shares. */
export interface FunctionDifference
  extends Pick<FunctionSummary, 'functionName' | 'url' | 'line' | 'column' | 'kind' | 'module'> {
  before: { selfNs: number; totalNs: number; selfShare: number; totalShare: number };
  after: { selfNs: number; totalNs: number; selfShare: number; totalShare: number };
  selfChange: number;
  totalChange: number;
}

/** A time in two profiles, and what it has changed by beyond noise. */
export interface TimeChange {
  beforeNs: number;
  afterNs: number;
  /** Relative increase of the time: 0.1 is 10 % more. */
  change: number;
  /** What it may be, as far as noise goes; the intervals of one comparison hold together, except in one of 1 / `falseAlarm` comparisons. */
  interval: [least: number, most: number];
  /** `change` is above the limit, and `interval` above 0. */
  isSlower: boolean;
}

/** What got slower, beyond noise: docs/regressions.md. */
export interface Comparison {
  limit: number;
  /** Chance that a comparison of two recordings of the same program has any alarm. */
  falseAlarm: number;
  /** The CPU time of all samples. */
  whole: TimeChange;
  /** Functions that have 1 % of the time in one of the profiles, and are in both, by self time. Those that are slower come first, then by their change. */
  functions: (TimeChange & Pick<FunctionSummary, 'functionName' | 'url' | 'line' | 'column' | 'kind' | 'module'>)[];
  isSlower: boolean;
}

/** A share of all time, by whose code it was spent in. */
export interface Category {
  name: 'your code' | 'dependencies' | 'Node.js' | 'native' | 'garbage collection' | 'compilation' | 'other';
  /** CPU time, or in wall mode wall time, nanoseconds. */
  ns: number;
  /** Of all time, with one decimal; those of all categories add up to 100. */
  percent: number;
  /**
   * What it is made of, the largest first: packages (`name@version`), modules of Node.js, native libraries. Their `percent` is of all
   * time too.
   */
  parts: { name: string; ns: number; percent: number }[];
}

/** A finding of one of the rules in docs/advice.md. */
export interface Advice {
  /** The rule's name in docs/advice.md. */
  rule: string;
  /** Of the time in which threads had something to do, 0 to 1. */
  share: number;
  /** Time that the finding touches, nanoseconds. */
  ns: number;
  /** The line that matters most; null: none is known. */
  where: { functionName: string; url: string; line: number } | null;
  /** What was found, with its numbers. */
  found: string;
  /** What can be done about it. */
  advice: string;
}
