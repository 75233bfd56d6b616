'use strict';

const { isMarkOf } = require('../recording/recorded-processes');
const { intervalsOf } = require('./intervals');

/**
 * What happened at a time, for the page's tracks: marks, and garbage collections. Both are bounded; how many are left out is said.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

const MOST_MARKS = 5000;
const MOST_COLLECTIONS = 50_000;
/** Characters of a mark's name, and of its detail. */
const LONGEST = 200;

/** @param {string} text */
function clipped(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** @param {Recording} recording @param {number[]} threadIds */
function eventsOf(recording, threadIds) {
  const marks = recording.marks.slice(0, MOST_MARKS).map((mark) => ({
    ...{ atMs: mark.timeNs / 1e6, thread: recording.threads.find((thread) => isMarkOf(mark, thread))?.id ?? -1 },
    ...{ name: clipped(mark.name), detail: clipped(mark.detail) },
  }));
  const all = threadIds.flatMap((thread) =>
    intervalsOf(recording, thread)
      .filter(({ kind }) => kind === 'collection')
      .map(({ beginNs, endNs }) => ({ thread, beginUs: beginNs / 1e3, endUs: endNs / 1e3 })),
  );
  // The longest are those that a person looks for.
  const least =
    all.length > MOST_COLLECTIONS
      ? all.map(({ beginUs, endUs }) => endUs - beginUs).sort((a, b) => b - a)[MOST_COLLECTIONS]
      : -1;
  const collections = all.filter(({ beginUs, endUs }) => endUs - beginUs > least);
  return {
    marks,
    leftOut: { marks: recording.marks.length - marks.length, collections: all.length - collections.length },
    columns: {
      collectionThreads: collections.map(({ thread }) => thread),
      collectionBegins: collections.map(({ beginUs }) => beginUs),
      collectionEnds: collections.map(({ endUs }) => endUs),
    },
  };
}

module.exports = { eventsOf };
