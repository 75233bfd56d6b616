'use strict';

const { constants } = require('node:buffer');
const { codeOf, errors } = require('../base/errors');
const { formatBytes } = require('../base/units');
const { Malformed } = require('./malformed');
const { READS, isBinary, looksLikeJson, looksLikePprof, otherFile, otherJson } = require('./recognise');
const { firstLines } = require('./text-lines');

/** Tells what a file is by its content, and reads it. */

/** Of a text, to tell what it is. */
const HEAD_BYTES = 4096;
const HEAD_LINES = 50;

/** @param {string} text @returns {unknown} */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(message);
    const before = at === null ? text : text.slice(0, Number(at[1]));
    const line = before.split('\n').length;
    throw new Malformed(`line ${line}, column ${before.length - before.lastIndexOf('\n')}`, `no JSON (${message})`);
  }
}

/** @param {Buffer} bytes @returns {import('../../binding').NativeRecording} */
function readJson(bytes) {
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    const most = formatBytes(constants.MAX_STRING_LENGTH);
    throw new Malformed('the JSON', `it is longer than ${most}, the longest text that Node.js can parse`);
  }
  const json = /** @type {any} */ (parseJson(bytes.toString('utf8')));
  if (json?.nodes !== undefined && !Array.isArray(json)) return require('./cpuprofile').readCpuProfile(json);
  if (json?.profiles !== undefined && json.shared !== undefined) return require('./speedscope').readSpeedscope(json);
  throw new Malformed(otherJson(json), READS);
}

/** Without a byte order mark, in UTF-8. @param {Buffer} bytes */
function plainText(bytes) {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  if (bytes[0] !== 0xff || bytes[1] !== 0xfe) return bytes;
  // Windows' PowerShell writes UTF-16.
  return Buffer.from(bytes.toString('utf16le', 2), 'utf8');
}

/** @param {Buffer} bytes @returns {import('../../binding').NativeRecording} */
function readText(bytes) {
  const lines = firstLines(bytes, HEAD_LINES);
  const { isPerfScript, isPerfScriptWithoutTimes, readPerfScript } = require('./perf-script');
  if (isPerfScript(lines)) return readPerfScript(bytes);
  if (isPerfScriptWithoutTimes(lines)) {
    throw new Malformed(
      'it seems to be output of perf script without times or process numbers',
      'leave out its -F, or give it -F comm,pid,tid,time,period,event,ip,sym,dso',
    );
  }
  try {
    return require('./collapsed').readCollapsed(bytes, lines);
  } catch (error) {
    if (error instanceof Malformed && error.message.startsWith('line 1:') && isBinary(bytes))
      throw new Malformed('it is no format that is known here', READS);
    throw error;
  }
}

/** @param {Buffer} whole @returns {import('../../binding').NativeRecording} */
function readContent(whole) {
  const bytes = plainText(whole);
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  if (looksLikeJson(head)) return readJson(bytes);
  const other = otherFile(head);
  if (other !== null) throw new Malformed(other, READS);
  if (looksLikePprof(bytes)) return require('./pprof').readPprof(bytes);
  return readText(bytes);
}

/**
 * @param {Buffer} bytes of a `.cpuprofile`, pprof, speedscope, collapsed stacks or output of perf script; not compressed
 * @param {string} name how the user calls it
 * @returns {import('../../binding').NativeRecording}
 * @throws {Error} `ERR_SPPROF_INPUT`, with the place of what is wrong
 */
function importContent(bytes, name) {
  if (bytes.length === 0) throw errors.input(name, 'it is empty');
  try {
    return readContent(bytes);
  } catch (error) {
    if (error instanceof Malformed) throw errors.input(name, error.message);
    // A string, an array or a map that would be longer than the engine allows.
    if (error instanceof RangeError || codeOf(error) === 'ERR_STRING_TOO_LONG')
      throw errors.input(name, `it is too large for Node.js to hold (${/** @type {Error} */ (error).message})`);
    throw error;
  }
}

module.exports = { importContent };
