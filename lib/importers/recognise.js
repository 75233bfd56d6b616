'use strict';

/** Tells what a file is by its content, also what spprof does not read, so that a message can say so. */

/** What the sentences end with. */
const READS = 'spprof reads its own recordings, .cpuprofile, pprof, speedscope, collapsed stacks and perf script';

/** Fields of pprof's Profile that are messages, strings or packed numbers; and those that are numbers. */
const BYTES_FIELDS = new Set([1, 2, 3, 4, 5, 6, 11, 13]);
const NUMBER_FIELDS = new Set([7, 8, 9, 10, 12, 13, 14, 15]);
const VARINT = 0;
const BYTES = 2;
/** Fields that make it sure. */
const ENOUGH = 4;

/** @param {Uint8Array} bytes @param {number} at @returns {{ value: number, next: number } | null} */
function varintAt(bytes, at) {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, next: at + i + 1 };
  }
  return null;
}

/**
 * Whether it is pprof's message: the fields of the whole may come in any order (Go's runtime begins with the samples' period).
 * @param {Uint8Array} bytes
 */
function looksLikePprof(bytes) {
  let fields = 0;
  for (let at = 0; at < bytes.length && fields < ENOUGH; fields++) {
    const tag = varintAt(bytes, at);
    if (tag === null) break;
    const field = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    const isKnown = wire === BYTES ? BYTES_FIELDS.has(field) : wire === VARINT && NUMBER_FIELDS.has(field);
    const value = varintAt(bytes, tag.next);
    if (!isKnown) return false;
    if (value === null) break;
    at = wire === BYTES ? value.next + value.value : value.next;
  }
  // A text can begin like a field or two; it has none of these bytes.
  return fields > 0 && bytes.subarray(0, 512).some((byte) => byte < 9);
}

/** Whether a text of JSON begins here; collapsed stacks may begin with `[` or `{` too. @param {string} head */
function looksLikeJson(head) {
  return /^\s*(\{\s*(["}]|$)|\[\s*([[{\]]|"[^;]*$|$))/.test(head);
}

/** Beginnings of files that are not read. @type {[string | RegExp, string][]} */
const OTHERS = [
  ['PERFILE2', 'it is data of perf; perf script makes a text of it that spprof reads'],
  ['\x7fELF', 'it is a program or a library'],
  ['PK\x03\x04', 'it is a ZIP file; unpack it first'],
  ['\x28\xb5\x2f\xfd', 'it is compressed with Zstandard; unpack it first'],
  ['\xfd7zXZ', 'it is compressed with xz; unpack it first'],
  ['BZh', 'it is compressed with bzip2; unpack it first'],
  ['FLR\0', 'it is a recording of Java Flight Recorder'],
  [
    /^\s*<(!doctype html|html|\?xml|svg|head|body)/i,
    'it is a page (HTML, SVG or XML), which shows a profile and does not hold one',
  ],
  [/^go \d+\.\d+ trace/, 'it is an execution trace of Go, no profile'],
  ['{"snapshot":', 'it is a heap snapshot'],
];

/** @param {string} head the first characters, one a byte @returns {string | null} what it is */
function otherFile(head) {
  return OTHERS.find(([begin]) => (typeof begin === 'string' ? head.startsWith(begin) : begin.test(head)))?.[1] ?? null;
}

/** What JSON seems to be that is not read. @param {any} json */
function otherJson(json) {
  if (json === null || typeof json !== 'object') return 'it is JSON, and no profile';
  const events = Array.isArray(json) ? json : json.traceEvents;
  if (Array.isArray(events) && events.some((each) => each?.ph !== undefined))
    return "it is a trace of Chrome's DevTools (Performance panel), no .cpuprofile; node --cpu-prof writes one";
  if (json.snapshot !== undefined) return 'it is a heap snapshot';
  if (json.head !== undefined && json.samples !== undefined && json.timestamps === undefined)
    return 'it is a heap profile of V8 (.heapprofile)';
  if (json.head !== undefined) return 'it is a .cpuprofile of an old form (head instead of nodes)';
  if (json.meta !== undefined && json.threads !== undefined) return 'it is a profile of the Firefox Profiler';
  if (json.version !== undefined && json.mappings !== undefined) return 'it is a source map';
  return 'it is JSON, and neither a .cpuprofile (nodes) nor a speedscope file (shared, profiles)';
}

/** Whether bytes are no text at all: names may have a control character, but few. @param {Uint8Array} bytes */
function isBinary(bytes) {
  const head = bytes.subarray(0, 4096);
  let odd = 0;
  for (const byte of head) if (byte < 9 || (byte > 13 && byte < 32)) odd++;
  return odd * 10 > head.length;
}

module.exports = { READS, looksLikePprof, looksLikeJson, otherFile, otherJson, isBinary };
