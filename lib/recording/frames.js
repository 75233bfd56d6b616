'use strict';

const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

/** How a frame of a recording is shown. Pure. */

/** @typedef {import('../../binding').NativeFrame} Frame */

/** Names that stand for something other than a function; the first four are V8's own. */
const ROOT = '(root)';
const PROGRAM = '(program)';
const IDLE = '(idle)';
const GC = '(garbage collector)';
const TRUNCATED = '(truncated)';
const UNKNOWN_JS = '(js)';
const ANONYMOUS = '(anonymous)';

/**
 * The name that a profile file holds: `''` for an anonymous JavaScript function, as V8 has it.
 * @param {Frame} frame
 */
function functionName(frame) {
  switch (frame.kind) {
    case 'gc':
      return GC;
    case 'truncated':
      return TRUNCATED;
    case 'unknown-js':
      return frame.functionName || UNKNOWN_JS;
    case 'js':
      return frame.functionName;
    default:
      return frame.functionName || `(${path.posix.basename(frame.module) || 'unknown code'})`;
  }
}

/** The name that a person reads. @param {Frame} frame */
function displayName(frame) {
  return functionName(frame) || ANONYMOUS;
}

/**
 * The URL that a profile file holds. JavaScript: an absolute path becomes a `file:` URL, all else stays as V8 has it.
 * Native code whose source is not known: `native:<file name of its module>`; V8's builtins: `native:v8`, apart from the executable they lie in.
 * (DevTools groups by the whole URL, and hides `native ` with a blank, which is V8's word for its own JavaScript.)
 * @param {Frame} frame
 */
function frameUrl(frame) {
  if (frame.kind === 'native' && frame.url === '') return `native:${path.posix.basename(frame.module)}`;
  if (frame.kind === 'builtin') return 'native:v8';
  return path.posix.isAbsolute(frame.url) ? pathToFileURL(frame.url).href : frame.url;
}

/**
 * The path of the file that a JavaScript frame's script is in, or null.
 * @param {Frame} frame
 */
function scriptPath(frame) {
  if (path.posix.isAbsolute(frame.url)) return frame.url;
  if (!frame.url.startsWith('file://')) return null;
  try {
    return fileURLToPath(frame.url);
  } catch {
    return null; // A program may name its scripts as it likes, also `file://` followed by no path.
  }
}

/**
 * Where a person finds the function: `path:line`, `node:fs:123`, or a module's file name; shortened relative to a folder.
 * @param {Frame} frame
 * @param {string} [folder] paths below it are shown relative to it
 * @param {boolean} [withColumn] `path:line:column`
 */
function frameWhere(frame, folder, withColumn = false) {
  if (frame.kind === 'native' && frame.url === '') return path.posix.basename(frame.module);
  if (frame.kind === 'builtin') return 'V8 builtin';
  const file = scriptPath(frame);
  let place = file ?? frame.url;
  if (file !== null && folder !== undefined) {
    const relative = path.relative(folder, file);
    if (!relative.startsWith('..')) place = relative;
  }
  if (place === '' || frame.line === 0) return place;
  return withColumn && frame.column > 0 ? `${place}:${frame.line}:${frame.column}` : `${place}:${frame.line}`;
}

/**
 * `frameWhere` for all frames of a recording: with the column where several functions begin on one line, as in minified code.
 * @param {Iterable<Pick<Frame, 'url' | 'line' | 'column'>>} frames
 * @returns {(frame: Frame, folder?: string) => string}
 */
function placer(frames) {
  const keyOf = (/** @type {Pick<Frame, 'url' | 'line'>} */ { url, line }) => `${line}\0${url}`;
  /** @type {Map<string, number>} */
  const columns = new Map();
  const shared = new Set();
  for (const frame of frames) {
    if (frame.line === 0 || frame.url === '') continue;
    const key = keyOf(frame);
    const column = columns.get(key);
    if (column === undefined) columns.set(key, frame.column);
    else if (column !== frame.column) shared.add(key);
  }
  return (frame, folder) => frameWhere(frame, folder, shared.has(keyOf(frame)));
}

/**
 * The same for every frame of one function, whatever its tier and whether inlined.
 * @param {Frame} frame
 */
function functionKey(frame) {
  const { kind, functionName: name, url, scriptId, line, column, startOffset, module } = frame;
  return [kind, name, url, scriptId, line, column, startOffset, module].join('\0');
}

/**
 * What a program is shown of a frame.
 * @param {Frame} frame
 * @returns {import('../index').StackFrame}
 */
function publicFrame(frame) {
  const { functionName: name, url, line, column, sampledLine, sampledColumn, kind, tier, inlined, module } = frame;
  return Object.freeze({
    ...{ functionName: name, url, line, column, sampledLine, sampledColumn, kind, tier, inlined, module },
  });
}

module.exports = {
  publicFrame,
  ROOT,
  PROGRAM,
  IDLE,
  GC,
  TRUNCATED,
  ANONYMOUS,
  functionName,
  displayName,
  frameUrl,
  frameWhere,
  placer,
  functionKey,
  scriptPath,
};
