'use strict';

const path = require('node:path');
const { errors } = require('../base/errors');
const { displayName, scriptPath } = require('./frames');
const { measureOf } = require('./measure');
const { weightsOf } = require('./model');
const { movedFiles } = require('./moved-files');
const { filterRecording } = require('./recording-sets');

/**
 * Two recordings, made comparable: a function is the same in both whatever they were read from. One format has a module's path,
 * another its file name, a third no module at all; so functions are told apart by what both know. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {{ modules: boolean, lines: boolean, columns: boolean, builtins: Set<string> }} Knowledge
 */

/** A name as every format can hold it: collapsed stacks have no semicolons and line ends. @param {Frame} frame */
function commonName(frame) {
  return displayName(frame)
    .replace(/;/g, ':')
    .replace(/[\r\n]+/g, ' ');
}

/** @param {Frame[]} frames @param {(frame: Frame) => boolean} isConcerned @param {(frame: Frame) => boolean} isKnown */
function knows(frames, isConcerned, isKnown) {
  const some = frames.filter(isConcerned);
  return some.length === 0 || some.some(isKnown);
}

/** What both know. @param {Recording[]} recordings @returns {Knowledge} */
function commonKnowledge(recordings) {
  const all = (
    /** @type {(frame: Frame) => boolean} */ isConcerned,
    /** @type {(frame: Frame) => boolean} */ isKnown,
  ) => recordings.every(({ frames }) => knows(frames, isConcerned, isKnown));
  const isScript = (/** @type {Frame} */ { url }) => url !== '';
  const isNative = (/** @type {Frame} */ { kind, url }) => kind === 'native' && url === '';
  return {
    modules: all(isNative, ({ module }) => module !== ''),
    lines: all(isScript, ({ line }) => line > 0),
    columns: all(isScript, ({ column }) => column > 0),
    // pprof and collapsed stacks do not say which code is V8's own.
    builtins: new Set(
      recordings.flatMap(({ frames }) => frames.filter(({ kind }) => kind === 'builtin').map(commonName)),
    ),
  };
}

/**
 * What a function is known by, without its lines.
 * @param {Frame} frame @param {Knowledge} knowledge @param {Map<string, string>} moved files
 */
function identityOf(frame, { modules, builtins }, moved) {
  const name = commonName(frame);
  if (frame.url !== '') {
    const url = scriptPath(frame) ?? frame.url;
    return { functionName: name, url: moved.get(url) ?? url, module: '' };
  }
  const hasModule = modules && frame.kind === 'native' && !builtins.has(name);
  return { functionName: name, url: '', module: hasModule ? path.posix.basename(frame.module) : '' };
}

/** @param {Recording} recording */
function pathsOf({ frames }) {
  return frames.map(scriptPath).filter((file) => file !== null);
}

/**
 * Names of functions that several of a line have, by file: minified code, where only the column tells them apart.
 * @param {Recording[]} recordings
 */
function crowdedNames(recordings) {
  const crowded = new Set();
  for (const { frames } of recordings) {
    /** @type {Map<string, number>} */
    const columns = new Map();
    for (const frame of frames) {
      if (frame.url === '' || frame.line === 0) continue;
      const key = `${commonName(frame)}\0${frame.line}\0${frame.url}`;
      if ((columns.get(key) ?? frame.column) !== frame.column) crowded.add(`${commonName(frame)}\0${frame.url}`);
      columns.set(key, frame.column);
    }
  }
  return crowded;
}

/** The same kind for one function on both sides. @param {Frame} frame @param {Knowledge} knowledge */
function commonKind({ kind, url, functionName }, { builtins }) {
  if (url !== '') return kind === 'native' ? 'native' : 'js';
  return kind === 'native' && builtins.has(functionName) ? 'builtin' : kind;
}

/**
 * The threads of `other` that a recording of one thread is to be compared with.
 * @param {Recording} one @param {Recording} other @returns {Recording}
 */
function sameThread(one, other) {
  if (one.isOneThread !== true || other.isOneThread === true) return other;
  const { tid } = one.threads[0] ?? {};
  const same = other.threads.filter((thread) => tid !== 0 && thread.tid === tid);
  const chosen = same.length > 0 ? same : other.threads.filter(({ kind }) => kind === 'main');
  if (chosen.length === 0) return other;
  const ids = new Set(chosen.map(({ id }) => id));
  return filterRecording(other, (i) => ids.has(other.sampleThreads[i]));
}

/**
 * @param {Recording} earlier
 * @param {Recording} later
 * @param {{ byLine?: boolean }} [settings] `byLine`: functions of one name in one file are kept apart by their lines; else a
 *   function is the same wherever it has moved to, and is shown where it is in the later one
 * @returns {[Recording, Recording]}
 * @throws {RangeError} `ERR_SPPROF_NOT_ALIKE`: one is in bytes, the other is not
 */
function comparable(earlier, later, { byLine = false } = {}) {
  const units = [earlier, later].map((each) => measureOf(each).unit);
  if (units[0] !== units[1] && units.includes('bytes')) throw errors.notAlike('units', units.join(' and '));
  const before = sameThread(later, earlier);
  const after = sameThread(earlier, later);
  const knowledge = commonKnowledge([before, after]);
  /** @type {Map<string, Frame>} */
  const known = new Map();
  const moved = movedFiles(pathsOf(before), pathsOf(after));
  const none = new Map();
  const crowded = crowdedNames([before, after]);
  /** @param {Frame} frame @param {Map<string, string>} files @returns {Frame} */
  const alike = (frame, files) => {
    const identity = identityOf(frame, knowledge, files);
    const line = knowledge.lines ? frame.line : 0;
    const column = knowledge.columns ? frame.column : 0;
    const isNameless = frame.kind === 'js' && frame.functionName === '';
    const isPlaced = byLine || isNameless || crowded.has(`${identity.functionName}\0${frame.url}`);
    const key = [...Object.values(identity), ...(isPlaced ? [line, column] : [])].join('\0');
    let first = known.get(key);
    if (first === undefined) {
      const kind = /** @type {Frame['kind']} */ (commonKind(frame, knowledge));
      first = { ...frame, ...identity, line, column, kind, scriptId: 0, startOffset: -1, sourceLength: 0 };
      known.set(key, first);
    }
    const { sampledLine, sampledColumn, tier, inlined } = frame;
    return { ...first, sampledLine, sampledColumn, tier, inlined };
  };
  /** @param {Recording} recording @param {Map<string, string>} files @returns {Recording} */
  const make = (recording, files) => ({
    ...recording,
    frames: recording.frames.map((frame) => alike(frame, files)),
    ...{ sampleCpuNs: weightsOf(recording), sampleWallNs: weightsOf(recording) },
    // Kept apart by their threads alone.
    ...{ intervalNs: before.intervalNs, mode: before.mode, startTimeMs: before.startTimeMs, measure: before.measure },
    ...{ blocks: [], sampleBlocks: new Uint32Array(recording.sampleBlocks.length) },
  });
  // The later one first: where a function has moved, it is shown where it is now.
  const second = make(after, none);
  return [make(before, moved), second];
}

module.exports = { comparable };
