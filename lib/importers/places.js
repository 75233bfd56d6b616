'use strict';

/**
 * Names and places in formats that put them side by side without quoting: `name place:line:column`. Names have blanks
 * (`get size`, `GET /users`), and so have paths; the place is what stands behind the last blank that a path or a URL can
 * begin at. Nothing here takes longer than the text is long.
 *
 * @typedef {import('./recording-builder').Told} Told
 */

/** What an absolute path or a URL begins with. */
const ABSOLUTE = /\/|[A-Za-z]:\\|[a-z][a-z0-9+.-]{1,20}:(?=[^\s\d:])|\[eval|evalmachine\.|<anonymous>/y;
/** `:line` or `:line:column` at the end. */
const NUMBERS = /^(?::(\d{1,9}))?(?::(\d{1,9}))?$/;
/** Longer than the numbers can be. */
const NUMBERS_LENGTH = 20;

/** @param {string} text @returns {{ text: string, line: number, column: number }} */
function splitNumbers(text) {
  const from = Math.max(0, text.length - NUMBERS_LENGTH);
  const tail = text.slice(from);
  for (let at = tail.indexOf(':'); at >= 0; at = tail.indexOf(':', at + 1)) {
    const match = NUMBERS.exec(tail.slice(at));
    if (match !== null && match[1] !== undefined) {
      return { text: text.slice(0, from + at), line: Number(match[1]), column: Number(match[2] ?? 0) };
    }
  }
  return { text, line: 0, column: 0 };
}

/** Whether a path or a URL can begin there. @param {string} text @param {number} at */
function isAbsoluteAt(text, at) {
  ABSOLUTE.lastIndex = at;
  return ABSOLUTE.test(text);
}

/**
 * A function's name and its place; null where there is none.
 * @param {string} whole
 * @returns {{ functionName: string, url: string, line: number, column: number } | null}
 */
function splitPlace(whole) {
  const { text, line, column } = splitNumbers(whole);
  let blank = text.lastIndexOf(' ');
  const last = blank;
  while (blank >= 0 && !isAbsoluteAt(text, blank + 1)) blank = blank === 0 ? -1 : text.lastIndexOf(' ', blank - 1);
  if (blank < 0) {
    // A place that is relative is known by its line.
    if (last < 0 || line === 0) return null;
    blank = last;
  }
  return { functionName: text.slice(0, blank), url: text.slice(blank + 1), line, column };
}

/** V8's words for what a piece of code is, in the names that it gives to perf. */
const SCRIPT = /^(?:JS|LazyCompile|Function|Script|Eval):([*~^+']*)/;
const BUILTIN = /^(?:Builtin|BytecodeHandler|Stub):(?=\S)/;
const TIERS = /** @type {Record<string, import('../../binding').NativeFrame['tier']>} */ ({
  '*': 'turbofan',
  '+': 'maglev',
  '^': 'baseline',
  '~': 'interpreted',
});

/**
 * A name that V8 gave to perf (`--perf-basic-prof`): `JS:*name file:line:column`, before V8 10 `LazyCompile:*name file:line`,
 * `Builtin:name`; null for any other.
 * @param {string} symbol
 * @returns {Told | null}
 */
function toldOfV8(symbol) {
  const builtin = BUILTIN.exec(symbol);
  if (builtin !== null) return { functionName: symbol.slice(builtin[0].length), kind: 'builtin' };
  const script = SCRIPT.exec(symbol);
  if (script === null) return null;
  const rest = symbol.slice(script[0].length);
  const tier = TIERS[script[1]] ?? '';
  return { ...(splitPlace(rest) ?? { functionName: rest }), tier };
}

module.exports = { splitPlace, splitNumbers, toldOfV8 };
