'use strict';

const fs = require('node:fs');
const zlib = require('node:zlib');
const { errors, systemReason } = require('../errors');
const { Malformed } = require('./recording-builder');

/** Tells what a file is by its content, and reads it if it is another profiler's. */

/** The first bytes of our own log; the last one is its version's. */
const OWN_MAGIC = 'SPPFLOG';

/** @param {string} file @returns {Buffer} not compressed */
function readWhole(file) {
  let bytes;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw errors.input(file, systemReason(error));
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return zlib.gunzipSync(bytes);
  } catch (error) {
    throw errors.input(file, `it is not whole: ${error instanceof Error ? error.message : error}`);
  }
}

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
function readContent(bytes) {
  const head = bytes.subarray(0, 4096).toString('latin1');
  if (/^\s*\{/.test(head)) {
    const json = /** @type {any} */ (parseJson(bytes.toString('utf8')));
    if (json.nodes !== undefined) return require('./cpuprofile').readCpuProfile(json);
    if (json.profiles !== undefined && json.shared !== undefined) return require('./speedscope').readSpeedscope(json);
    throw new Malformed('the JSON', 'it is neither a .cpuprofile (nodes) nor a speedscope file (shared, profiles)');
  }
  // A protocol buffer's first field here is sample_type, a message.
  if (bytes[0] === 0x0a && bytes.subarray(0, 512).some((byte) => byte < 9)) return require('./pprof').readPprof(bytes);
  if (bytes.includes(0)) throw new Malformed('byte 0', 'it is no format that spprof reads');
  const text = bytes.toString('utf8');
  const { isPerfScript, readPerfScript } = require('./perf-script');
  return isPerfScript(text) ? readPerfScript(text) : require('./collapsed').readCollapsed(text);
}

/** Whether a file is a log of ours. @param {string} file */
function isOwnLog(file) {
  const handle = fs.openSync(file, 'r');
  try {
    const head = Buffer.alloc(OWN_MAGIC.length);
    fs.readSync(handle, head, 0, head.length, 0);
    return head.toString('latin1') === OWN_MAGIC || file.endsWith('.spprof');
  } finally {
    fs.closeSync(handle);
  }
}

/**
 * @param {string} file `.cpuprofile`, pprof, collapsed stacks or speedscope, also compressed
 * @returns {import('../../binding').NativeRecording}
 * @throws {Error} `ERR_SPPROF_INPUT`, with the place of what is wrong
 */
function importFile(file) {
  const bytes = readWhole(file);
  if (bytes.length === 0) throw errors.input(file, 'it is empty');
  try {
    return readContent(bytes);
  } catch (error) {
    if (error instanceof Malformed) throw errors.input(file, error.message);
    throw error;
  }
}

module.exports = { importFile, isOwnLog };
