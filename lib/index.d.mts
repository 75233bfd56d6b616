import type { block, blockProfiler, blocks, isRecording, profile, readProfile, start, track } from './index.js';

export * from './index.js';

declare const spprof: {
  start: typeof start;
  profile: typeof profile;
  isRecording: typeof isRecording;
  readProfile: typeof readProfile;
  block: typeof block;
  track: typeof track;
  blocks: typeof blocks;
  blockProfiler: typeof blockProfiler;
};
export default spprof;
