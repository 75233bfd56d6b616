'use strict';

const { pathToFileURL } = require('node:url');
const { readScriptFile } = require('../base/script-file');

/**
 * Whether a script's file is what V8 compiled under its name. A hook may have compiled something else (TypeScript, Babel, a bundler
 * in memory), and the file may have changed: then no line that V8 knows is a line of the file. V8's length of the text decides.
 */

/** What is put around a file's text, and moves nothing but columns of its first line: `Module.wrap()`, and Jest's where nothing is transformed. */
const WRAPPERS = [
  ['(function (exports, require, module, __filename, __dirname) { ', '\n});'],
  ['({"Object.<anonymous>":function(module,exports,require,__dirname,__filename,jest){', '\n}});'],
];

/** What Node.js puts behind TypeScript whose types it has replaced by blanks. @param {string} name */
const stripped = (name) => `\n\n//# sourceURL=${name}`;

/**
 * @typedef {object} CompiledText
 * @property {string} text the file's own, without byte order mark
 * @property {number} indent by how many columns the first line was moved
 */

/**
 * @param {string} file
 * @param {number} sourceLength of what V8 compiled, UTF-16 units; 0: unknown, any text is taken for it
 * @returns {CompiledText | 'other' | null} `'other'`: V8 compiled another text; null: there is no such file, or it cannot be read
 */
function readCompiledText(file, sourceLength) {
  let text;
  try {
    text = readScriptFile(file);
  } catch {
    return null; // The script is gone or was never a file.
  }
  if (text.length === sourceLength) return { text, indent: 0 };
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  const more = sourceLength - text.length;
  if (sourceLength === 0 || more === 0) return { text, indent: 0 };
  if ([file, pathToFileURL(file).href].some((name) => more === stripped(name).length)) return { text, indent: 0 };
  // What wraps a file leaves out its first line where that is for the shell.
  const hashbang = /^#!.*/.exec(text)?.[0] ?? '';
  for (const [before, after] of WRAPPERS) {
    const around = before.length + after.length;
    if (more === around) return { text, indent: before.length };
    if (hashbang !== '' && more === around - hashbang.length) {
      return { text: text.slice(hashbang.length), indent: before.length };
    }
  }
  return 'other';
}

module.exports = { readCompiledText };
