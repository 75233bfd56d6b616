'use strict';

const { measureOf } = require('../recording/measure');
const { STATE_GC, sampledThreads, samplesOfThread, weightsOf } = require('../recording/model');
const { hasProcesses, isMarkOf, processOf } = require('../recording/recorded-processes');
const { FirefoxTables } = require('./firefox-tables');
const { intervalsOf } = require('./intervals');
const { arrayPieces, columnPieces } = require('./json-pieces');

/**
 * The processed profile format of the Firefox Profiler (https://profiler.firefox.com; its repository documents the format in
 * docs-developer/processed-profile-format.md and src/types/profile.ts): all threads, what each sample stands for as its weight,
 * categories and packages as colours, and collections, blocks and what the program named with `mark` as markers. Times are
 * milliseconds since the start of the recording. Newer versions of the profiler upgrade files of this one.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeThread} Thread
 */

const FORMAT_VERSION = 62;
/** Of Gecko's own format, which the app asks for. */
const GECKO_VERSION = 24;
const INSTANT = 0;
const INTERVAL = 1;

/** Colours that the profiler knows, by category; the first that is grey is the default. */
const COLORS = /** @type {Record<string, string>} */ ({
  'your code': 'yellow',
  dependencies: 'green',
  'Node.js': 'lightblue',
  native: 'blue',
  'garbage collection': 'orange',
  compilation: 'purple',
  other: 'grey',
});

const PLACES = ['marker-chart', 'marker-table', 'timeline-overview'];
const MARKER_SCHEMA = [
  {
    ...{ name: 'mark', display: PLACES, tableLabel: '{marker.name}', chartLabel: '{marker.name}' },
    fields: [{ key: 'detail', label: 'Detail', format: 'string' }],
  },
  { name: 'collection', display: PLACES, tableLabel: '{marker.name}', fields: [] },
  { name: 'block', display: PLACES, tableLabel: '{marker.name}', chartLabel: '{marker.name}', fields: [] },
];

/** Milliseconds, to the nanosecond. @param {number} ns */
function toMs(ns) {
  return Math.round(ns) / 1e6;
}

/** @param {Recording} recording @param {FirefoxTables} tables */
function metaOf(recording, tables) {
  const { version } = require('../../package.json');
  const { execPath, nodeVersion, intervalNs, startTimeMs, durationNs } = recording;
  return {
    ...{ interval: intervalNs / 1e6, startTime: startTimeMs, profilingStartTime: 0 },
    profilingEndTime: toMs(durationNs),
    ...{
      processType: 0,
      product: `Node.js ${nodeVersion}`,
      importedFrom: `spprof ${version}`,
      stackwalk: 1,
      debug: false,
    },
    ...{ version: GECKO_VERSION, preprocessedProfileVersion: FORMAT_VERSION, arguments: execPath },
    ...{ symbolicated: true, sourceCodeIsNotOnSearchfox: true, usesOnlyOneStackType: false },
    extensions: { baseURL: [], id: [], name: [], length: 0 },
    categories: tables.categories.names.map(({ name, parts }) => ({
      ...{ name, color: COLORS[name], subcategories: parts },
    })),
    sampleUnits: { time: 'ms', eventDelay: 'ms', threadCPUDelta: 'ns' },
    markerSchema: MARKER_SCHEMA,
  };
}

/** @param {Recording} recording @param {Thread} thread @param {FirefoxTables} tables */
function samplesOf(recording, { id }, tables) {
  const { sampleTimes, sampleStacks, sampleStates, sampleCpuNs } = recording;
  const { begin, end } = samplesOfThread(recording, id);
  const weights = weightsOf(recording).subarray(begin, end);
  const isTime = measureOf(recording).unit === 'nanoseconds';
  const numbers = Array.from({ length: end - begin }, (_, i) => begin + i);
  return {
    stack: numbers.map((i) => tables.stackOf(sampleStacks[i], (sampleStates[i] & STATE_GC) !== 0)),
    time: [...sampleTimes.subarray(begin, end)].map(toMs),
    weight: isTime ? [...weights].map(toMs) : [...weights],
    threadCPUDelta: isTime ? [...sampleCpuNs.subarray(begin, end)].map(Math.round) : numbers.map(() => null),
  };
}

/** @param {Recording} recording @param {Thread} thread @param {FirefoxTables} tables */
function markersOf(recording, thread, tables) {
  const { collection, other } = tables.categories;
  const spans = intervalsOf(recording, thread.id).map(({ kind, name, beginNs, endNs }) => ({
    ...{ name, phase: INTERVAL, startTime: toMs(beginNs), endTime: toMs(endNs), data: { type: kind } },
    category: kind === 'collection' ? collection.category : other.category,
  }));
  const marks = recording.marks
    .filter((mark) => isMarkOf(mark, thread))
    .map(({ name, detail, timeNs }) => ({
      ...{ name, phase: INSTANT, startTime: toMs(timeNs), endTime: null, category: other.category },
      data: detail === '' ? { type: 'mark' } : { type: 'mark', detail },
    }));
  const all = [...spans, ...marks].sort((a, b) => a.startTime - b.startTime);
  return {
    name: all.map(({ name }) => tables.strings.of(name)),
    startTime: all.map(({ startTime }) => startTime),
    endTime: all.map(({ endTime }) => endTime),
    phase: all.map(({ phase }) => phase),
    category: all.map(({ category }) => category),
    data: all.map(({ data }) => data),
  };
}

/** @param {Recording} recording @param {Thread} thread */
function threadHead(recording, thread) {
  const { tid, name, kind } = thread;
  const { pid, execPath, name: program } = processOf(recording, thread);
  const processName = hasProcesses(recording) ? program : execPath;
  return {
    ...{ name, isMainThread: kind === 'main', processType: 'default', processName, pid: String(pid), tid },
    ...{ processStartupTime: 0, processShutdownTime: null, registerTime: 0, unregisterTime: null, pausedRanges: [] },
    showMarkersInTimeline: true,
  };
}

/** @param {Recording} recording */
function weightTypeOf(recording) {
  const { unit } = measureOf(recording);
  if (unit === 'bytes') return 'bytes';
  return unit === 'count' ? 'samples' : 'tracing-ms';
}

/** @param {Recording} recording @param {FirefoxTables} tables */
function* threadPieces(recording, tables) {
  for (const [k, thread] of sampledThreads(recording).entries()) {
    yield `${k === 0 ? '' : ','}\n${JSON.stringify(threadHead(recording, thread)).slice(0, -1)},"samples":`;
    yield* withType(columnPieces(samplesOf(recording, thread, tables)), weightTypeOf(recording));
    yield ',"markers":';
    yield* columnPieces(markersOf(recording, thread, tables));
    yield '}';
  }
}

/** Adds the weights' type to the object that the pieces are. @param {Iterable<string>} pieces @param {string} weightType */
function* withType(pieces, weightType) {
  let last = '';
  for (const piece of pieces) {
    yield last;
    last = piece;
  }
  yield `${last.slice(0, -1)},"weightType":${JSON.stringify(weightType)}}`;
}

/**
 * @param {Recording} recording
 * @returns {Generator<string>}
 */
function* firefoxPieces(recording) {
  const tables = new FirefoxTables(recording);
  yield '{"threads":[';
  // Before the shared tables: samples and markers add to them.
  yield* threadPieces(recording, tables);
  yield '],"shared":{';
  for (const [name, columns] of Object.entries(tables.tables())) {
    yield `${JSON.stringify(name)}:`;
    yield* columnPieces(columns);
    yield ',';
  }
  yield* arrayPieces('stringArray', tables.strings.all);
  yield `},"libs":${JSON.stringify(tables.libs)},"meta":${JSON.stringify(metaOf(recording, tables))}`;
  yield ',"pages":[],"counters":[],"profilerOverhead":[]}\n';
}

module.exports = { firefoxPieces };
