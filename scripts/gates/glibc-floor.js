'use strict';

/**
 * How the addon is linked: it loads wherever Node.js does, without a symbol of a newer glibc or another library
 * (native/addon/glibc_floor.cc), and binds its functions when it is loaded, not at the first call in a signal handler.
 */

const fs = require('node:fs');
const path = require('node:path');
const { OLDEST_GLIBC } = require('../../lib/native/support');
const { ROOT, capture, requireTool } = require('../tools');

const LIBRARIES = new Set(['libc.so.6', 'libpthread.so.0', 'libdl.so.2', 'librt.so.1', 'ld-linux-x86-64.so.2']);

/** @param {string} version @returns {number} 2.28 → 2028 */
function asNumber(version) {
  const [major, minor] = version.split('.').map(Number);
  return major * 1000 + minor;
}

/**
 * @param {string} text what `readelf --dyn-syms --dynamic --wide` prints
 * @returns {string[]} one line a problem
 */
function problemsOf(text) {
  const symbols = [...text.matchAll(/\sUND\s+(\w+)@GLIBC_([\d.]+)/g)];
  const newer = symbols
    .filter(([, , version]) => asNumber(version) > asNumber(OLDEST_GLIBC))
    .map(([, symbol, version]) => `${symbol} needs glibc ${version}; ${OLDEST_GLIBC} is what Node.js asks for`);
  const libraries = [...text.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  const others = libraries.filter((name) => !LIBRARIES.has(name)).map((name) => `needs the library ${name}`);
  return symbols.length === 0 ? ['no symbol of glibc was found'] : [...newer, ...others];
}

/** @param {string} text as above @returns {string[]} one line a problem */
function lazyBindingProblems(text) {
  const isBound = /\((BIND_NOW|FLAGS|FLAGS_1)\).*\b(BIND_NOW|NOW)\b/.test(text);
  return isBound ? [] : ['its functions are bound at their first call; link it with -z now'];
}

/** @param {string} [file] @returns {string[]} one line a problem */
function checkGlibcFloor(file = path.join(ROOT, 'build', 'Release', 'spprof.node')) {
  requireTool('readelf');
  if (!fs.existsSync(file)) return [`${file} is missing; build it with: node scripts/build-addon.js`];
  const { status, output, stdout } = capture('readelf', ['--dyn-syms', '--dynamic', '--wide', file]);
  return status === 0 ? [...problemsOf(stdout), ...lazyBindingProblems(stdout)] : [output.trim()];
}

module.exports = { checkGlibcFloor, lazyBindingProblems, problemsOf };
