import spprof from './index.js';

export const { start, profile, isRecording, readProfile, block, track, blocks, blockProfiler } = spprof;
export default spprof;
