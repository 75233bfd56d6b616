/**
 * Reads a `.cpuprofile` with Chrome DevTools' own model (the npm package of DevTools' trace engine), and prints, as JSON,
 * the time that each function was on top of the stack, ms, and what DevTools recognises.
 */

import fs from 'node:fs';
import { CPUProfileDataModel } from '@paulirish/trace_engine/models/cpu_profile/CPUProfileDataModel.js';

const profile = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const model = new CPUProfileDataModel(profile);
const self = {};
model.forEachFrame(
  () => {},
  (_depth, node, _sample, _start, _duration, selfMs) => {
    self[node.functionName] = (self[node.functionName] ?? 0) + selfMs;
  },
);
process.stdout.write(
  JSON.stringify({ self, hasIdle: model.idleNode !== undefined, samples: model.samples.length, depth: model.maxDepth }),
);
