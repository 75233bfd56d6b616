import type { NativeFrame } from '../../binding';
import type { Evidence } from './evidence';

/** What a rule has found, as numbers. */
export interface Found {
  /** Time that the finding touches. */
  ns: number;
  /** Samples of it. */
  samples: number;
  /** What was found, as a sentence without its full stop; paths below `folder` are shown relative to it. */
  text: (folder?: string) => string;
  /** The place that matters most, null: none is known. */
  frame: NativeFrame | null;
}

/** One rule of the advice; docs/advice.md is written from these. */
export interface Rule {
  /** Its name, as in docs/advice.md. */
  id: string;
  /** Least share of the time, 0 to 1. */
  threshold: number;
  /** What the threshold is of, and what else must hold, for docs/advice.md. */
  condition: string;
  /** What to do about it, in one or two sentences. */
  advice: string;
  /** null: nothing is there that the rule speaks of. The threshold is checked by the caller. */
  find: (evidence: Evidence) => Found | null;
}
