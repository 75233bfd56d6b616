import type * as api from './index.js';

export * from './index.js';

declare const spprof: Pick<
  typeof api,
  | 'start'
  | 'profile'
  | 'isRecording'
  | 'readProfile'
  | 'registerThread'
  | 'block'
  | 'track'
  | 'blocks'
  | 'blockProfiler'
  | 'enableBlocks'
  | 'blocksEnabled'
>;
export default spprof;
