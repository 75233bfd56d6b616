import type { isRecording, profile, readProfile, start } from './index.js';

export * from './index.js';

declare const spprof: {
  start: typeof start;
  profile: typeof profile;
  isRecording: typeof isRecording;
  readProfile: typeof readProfile;
};
export default spprof;
