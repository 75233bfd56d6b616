'use strict';

/** The thread of `placeFrames`. */

const { parentPort, workerData } = require('node:worker_threads');
const { PLACED, fromColumns, toColumns } = require('../recording/frame-columns');
const { placeHere } = require('./place-frames');

const { count, columns, placing } = workerData;
const frames = Array.from({ length: count }, () => /** @type {import('../../binding').NativeFrame} */ ({}));
fromColumns(frames, columns);
/** @type {import('./source-maps').MappedSources} */
const sources = new Map();
const problems = placeHere(frames, placing, sources);
parentPort?.postMessage({ columns: toColumns(frames, PLACED), problems, sources: [...sources] });
