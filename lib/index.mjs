import spprof from './index.js';

export const { start, isRecording, readProfile } = spprof;
export default spprof;
