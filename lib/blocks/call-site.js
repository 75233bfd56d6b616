'use strict';

const path = require('node:path');

/**
 * @typedef {{ file: string, line: number }} CallSite `file`: `''` where it is not known; `line`: from 1 on, or 0
 */

const LIB = path.join(__dirname, '..') + path.sep;
const UNKNOWN = Object.freeze({ file: '', line: 0 });
/** Functions of spprof that lie above the program's on the stack, and some more. */
const FRAMES = 16;

/** @param {string} name a path or a `file:` URL */
function toPath(name) {
  if (!name.startsWith('file:')) return name;
  const { fileURLToPath } = require('node:url');
  try {
    return fileURLToPath(name);
  } catch {
    return name;
  }
}

/** @param {CallSite[]} sites innermost first */
function outermostOf(sites) {
  return sites.find(({ file }) => file !== '' && !file.startsWith('node:') && !file.startsWith(LIB)) ?? null;
}

/** `    at work (/srv/a.js:1:2)`, or without a function. @param {string} line @returns {CallSite} */
function readLine(line) {
  const place = line.endsWith(')') ? line.slice(line.indexOf(' (') + 2, -1) : line.trim().replace(/^at (async )?/, '');
  const [, name, number] = /^(.+):(\d+):\d+$/.exec(place) ?? ['', '', '0'];
  return { file: toPath(name), line: Number(number) };
}

/** As the program has its stacks written, so that a source map that it uses (--enable-source-maps) holds here too. */
function fromText() {
  const stack = /** @type {unknown} */ (new Error('').stack);
  return typeof stack === 'string' ? outermostOf(stack.split('\n').slice(1).map(readLine)) : null;
}

/** As V8 has them. */
function fromFrames() {
  Error.prepareStackTrace = (_, sites) => sites;
  const sites = /** @type {unknown} */ (new Error('').stack);
  if (!Array.isArray(sites)) return null;
  const read = (/** @type {NodeJS.CallSite} */ site) => ({
    file: toPath(site.getFileName() ?? ''),
    line: site.getLineNumber() ?? 0,
  });
  return outermostOf(sites.map(read));
}

/**
 * Where the program calls spprof: the innermost function on the stack that is not ours. What the program itself does with
 * stacks stays as it is; where it lets no code change them, the place is unknown.
 * @returns {CallSite}
 */
function callSite() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = FRAMES;
    return fromText() ?? fromFrames() ?? UNKNOWN;
  } catch {
    return UNKNOWN; // --frozen-intrinsics: Error cannot be changed; or its prepareStackTrace throws
  } finally {
    restore(prepareStackTrace, stackTraceLimit);
  }
}

/** @param {typeof Error.prepareStackTrace} prepareStackTrace @param {number} stackTraceLimit */
function restore(prepareStackTrace, stackTraceLimit) {
  try {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepareStackTrace;
  } catch {
    // Nothing was changed: the first assignment has thrown, too.
  }
}

module.exports = { callSite };
