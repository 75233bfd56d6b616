'use strict';

const { measureOf } = require('../recording/measure');
const { weightsOf } = require('../recording/model');

/**
 * Which formats can hold what a profile of another profiler says: one of bytes is no time line, and a difference of two
 * profiles has negative values.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** Formats whose values are all 0 or more. */
const NOT_NEGATIVE = ['cpuprofile', 'collapsed', 'speedscope', 'firefox', 'trace', 'flamegraph'];
/** Formats that are time lines. */
const OF_TIME = new Map([
  ['cpuprofile', 'a .cpuprofile'],
  ['trace', 'a trace'],
]);

/** In a `.cpuprofile` of counts each stands for so much, ns. */
const COUNT_NS = 1e6;

/**
 * @param {Recording} recording
 * @param {import('./formats').FormatName} format
 * @returns {string | null} why not
 */
function whyNotHeld(recording, format) {
  const { name, unit } = measureOf(recording);
  const file = OF_TIME.get(format);
  if (file !== undefined && unit === 'bytes') return `${file} holds times, and these are bytes (${name})`;
  if (!NOT_NEGATIVE.includes(format) || !weightsOf(recording).some((value) => value < 0)) return null;
  return 'some values are negative, which only reports and pprof can hold; spprof diff compares two files';
}

/**
 * Counts as times, for formats that hold nothing else.
 * @param {Recording} recording
 * @returns {Recording}
 */
function asTimes(recording) {
  if (measureOf(recording).unit !== 'count') return recording;
  const scaled = (/** @type {Float64Array} */ values) => values.map((value) => value * COUNT_NS);
  return {
    ...recording,
    durationNs: recording.durationNs * COUNT_NS,
    sampleTimes: scaled(recording.sampleTimes),
    sampleCpuNs: scaled(recording.sampleCpuNs),
    sampleWallNs: scaled(recording.sampleWallNs),
  };
}

module.exports = { COUNT_NS, whyNotHeld, asTimes };
