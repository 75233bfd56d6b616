import spprof from './index.js';

export const { start, profile, isRecording, readProfile } = spprof;
export default spprof;
