import type { isRecording, readProfile, start } from './index.js';

export * from './index.js';

declare const spprof: {
  start: typeof start;
  isRecording: typeof isRecording;
  readProfile: typeof readProfile;
};
export default spprof;
