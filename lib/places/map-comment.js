'use strict';

const vm = require('node:vm');

/** Finds the comment by which a script names its source map, as V8 and so Node.js do: the last one that is a comment. */

const DATA_URL = /^data:application\/json[^,]*?(;base64)?,/i;

/**
 * A map that is written in its own address.
 * @param {string} url
 * @returns {string | null} JSON; null: it is somewhere else
 * @throws {URIError} the address is damaged
 */
function decodeDataUrl(url) {
  const data = DATA_URL.exec(url);
  if (data === null) return null;
  const body = decodeURIComponent(url.slice(data[0].length));
  return data[1] ? Buffer.from(body, 'base64').toString('utf8') : body;
}

/** What a script that has a map contains. */
const MAP_REFERENCE = 'sourceMappingURL=';
/** What may be the comment: its own beginning, the reference, and the rest of its line. */
const COMMENT = /\/([/*])[#@][ \t]+sourceMappingURL=([^\s'"`*]+)(.*)/g;
/** What may follow the comment where no string and no template that would hold it can end. */
const NO_CODE = /^\s*(?:\/\/[^\n\r]*(?:[\n\r]\s*|$))*$/;
/** What stands before a comment on a line of its own. */
const LINE_BEGIN = /(?:^|\n)[ \t]{0,99}$/;

/** Whether no code follows. @param {string} text @param {RegExpMatchArray} match of COMMENT */
function isAtEnd(text, match) {
  const [all, kind, , rest] = match;
  const isClosed = (kind === '/' ? /^\s*$/ : /^\s*\*\/\s*$/).test(rest);
  return isClosed && NO_CODE.test(text.slice(Number(match.index) + all.length));
}

/** Whether it is the first on its line. @param {string} text @param {RegExpMatchArray} match */
function isAtLineBegin(text, { index }) {
  return LINE_BEGIN.test(text.slice(Math.max(0, Number(index) - 100), index));
}

/**
 * What V8 says of a CommonJS text. It is parsed, not run.
 * @param {string} text
 * @returns {string | null | undefined} null: it names no map; undefined: it is no CommonJS, or Node.js is older than 18.13
 */
function referenceByV8(text) {
  try {
    const { sourceMapURL } = /** @type {any} */ (new vm.Script(`(function () {${text.replace(/^#!.*/, '')}\n})`));
    if (typeof sourceMapURL === 'string' && sourceMapURL !== '') return sourceMapURL;
    const [major, minor] = process.versions.node.split('.').map(Number);
    return major > 18 || minor >= 13 ? null : undefined;
  } catch {
    return undefined; // A module: `import` and `export` stand in no function.
  }
}

/**
 * @param {string} text of the script
 * @returns {string | null} a URL, maybe relative to the script
 */
function findMapReference(text) {
  const matches = [...text.matchAll(COMMENT)];
  const last = matches.at(-1);
  if (last === undefined) return null;
  const isLast = isAtEnd(text, last);
  if (isLast && isAtLineBegin(text, last)) return last[2];
  const found = referenceByV8(text);
  if (found !== undefined) return found;
  // In a module: the end of the text, or a line of its own, which is seldom a template's.
  const own = matches.filter((match) => isAtLineBegin(text, match));
  return (isLast ? last : own.at(-1))?.[2] ?? null;
}

module.exports = { decodeDataUrl, MAP_REFERENCE, findMapReference };
