'use strict';

/** The thread of `placeFrames`. */

const { parentPort, workerData } = require('node:worker_threads');
const { placeHere } = require('./place-frames');

const { frames, sourceMaps } = workerData;
const problems = placeHere(frames, sourceMaps);
parentPort?.postMessage({ frames, problems });
