import spprof from './index.js';

export const { start, profile, isRecording, readProfile, registerThread } = spprof;
export const { block, track, blocks, blockProfiler, enableBlocks, blocksEnabled } = spprof;
export default spprof;
