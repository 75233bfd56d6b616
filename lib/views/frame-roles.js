'use strict';

const path = require('node:path');
const { C_LIBRARY, SYSTEM_CALL } = require('../recording/system-calls');
const { shortNativeName } = require('../recording/native-names');
const {
  BUNDLED,
  C_FUNCTIONS,
  NATIVE_REASONS,
  OTHER_BUNDLED,
  REASONS,
  RUNTIME_C,
  STARTERS,
} = require('./runtime-symbols');
const { COLLECTION, COMPILATION, PARSING } = require('./runtime-symbols');

/**
 * The part that a frame plays for the program view, decided once for each frame of a recording.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('./runtime-symbols').Reason} Reason
 *
 * @typedef {object} Role
 * @property {'js' | 'starter' | 'engine' | 'node' | 'library' | 'bundled' | 'c' | 'call' | 'mark'} part
 *   js: stays. starter: Node.js's own JavaScript that starts the program's. engine: V8. node: C++ of Node.js, and libuv. library: native
 *   code that means something to the author. bundled: such code in the executable of Node.js. c: the C library. call: a system call
 *   there. mark: says something about the stack, stays
 * @property {Reason | 'script' | null} reason why the thread runs, where the frame says it
 * @property {Reason | null} nativeReason the same of a thread without JavaScript
 * @property {'gc' | 'parsing' | 'compilation' | null} work of the engine
 */

/** Executables and libraries that hold Node.js, libuv or V8. */
const RUNTIME_MODULE = /^(node|nodejs|node\d+)$|^lib(node|uv|v8\w*)\.so/;
/** Of the compilers and loaders: code without a meaning of its own. V8's ICU is V8's. */
const SUPPORT_LIBRARY =
  /\/(libstdc\+\+|libgcc_s|libc\+\+|libm|libm-[\d.]+|libdl|librt|libatomic|libicu\w+|ld-[^/]*|libjemalloc|libtcmalloc|libmimalloc)\.so[^/]*$/;

/** @template T @param {readonly [RegExp, T][]} rules @param {string} text */
function firstMatch(rules, text) {
  return rules.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** @param {RegExp[]} patterns @param {string} name */
function isAny(patterns, name) {
  return patterns.some((pattern) => pattern.test(name));
}

/** What V8 was doing in a function, where that is no part of running JavaScript. @param {string} name @returns {Role['work']} */
function workOf(name) {
  if (isAny(COLLECTION, name)) return 'gc';
  if (isAny(PARSING, name)) return 'parsing';
  return isAny(COMPILATION, name) ? 'compilation' : null;
}

/** The library inside the executable of Node.js that a C function belongs to; null: none. @param {string} name */
function bundledLibrary(name) {
  if (name === '' || /::|^</.test(name) || RUNTIME_C.test(name)) return null;
  return BUNDLED.find(([, pattern]) => pattern.test(name))?.[0] ?? OTHER_BUNDLED;
}

/** @param {Frame} frame @param {string} execPath */
function isRuntimeModule({ module }, execPath) {
  return module !== '' && (module === execPath || RUNTIME_MODULE.test(path.posix.basename(module)));
}

/** @param {Role['part']} part @param {Partial<Role>} [rest] @returns {Role} */
function role(part, rest) {
  return { part, reason: null, nativeReason: null, work: null, ...rest };
}

/** @param {Frame} frame @param {string} execPath @returns {Role} */
function nativeRole(frame, execPath) {
  const { module } = frame;
  const name = shortNativeName(frame.functionName);
  if (C_LIBRARY.test(module)) {
    const isCall = SYSTEM_CALL.test(name) || C_FUNCTIONS.test(name);
    return role(isCall ? 'call' : 'c');
  }
  if (SUPPORT_LIBRARY.test(module) || module === '') return role('c');
  if (!isRuntimeModule(frame, execPath)) return role('library');
  const rest = {
    reason: firstMatch(REASONS, name),
    nativeReason: firstMatch(NATIVE_REASONS, name),
    work: workOf(name),
  };
  // Names that the demangler does not know stay as they are.
  const isEngine = name === '' || /^((v8|v8_inspector|cppgc|heap::base|icu_\d+)::|_ZZ?NK?2v8)/.test(name);
  if (isEngine) return role('engine', rest);
  if (bundledLibrary(name) !== null) return role('bundled', rest);
  return role('node', rest);
}

/** @param {Frame} frame @param {string} execPath of the process @returns {Role} */
function roleOf(frame, execPath) {
  switch (frame.kind) {
    case 'js':
    case 'unknown-js': {
      // Code of a regular expression: it counts for the function that uses it.
      if (frame.url === '' && frame.functionName === '(regexp)') return role('engine');
      const starter = STARTERS.find(([pattern]) => pattern.test(frame.url));
      return role(starter === undefined ? 'js' : 'starter', { reason: starter?.[1] ?? null });
    }
    case 'builtin':
      return role('engine', { reason: firstMatch(REASONS, frame.functionName), work: workOf(frame.functionName) });
    case 'native':
      // Native code with a URL is another profiler's, which knows its source.
      return frame.url === '' ? nativeRole(frame, execPath) : role('library');
    default:
      return role('mark');
  }
}

module.exports = { bundledLibrary, isRuntimeModule, roleOf };
