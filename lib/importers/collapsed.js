'use strict';

const { Malformed, excerpt } = require('./malformed');
const { decodePlace } = require('../recording/place-encoding');
const { splitNumbers, splitPlace, toldOfV8 } = require('./places');
const { RecordingBuilder } = require('./recording-builder');
const { isIdle, linesOf } = require('./text-lines');

/**
 * Collapsed stacks (`frame;frame;frame count`, root first), as stackcollapse-perf, py-spy, async-profiler and we write them. The
 * format has neither threads nor a unit: the first frame is a thread where it says so, in our own files
 * (`[node main tid=7 us]`) and in async-profiler's (`[main tid=7]`), and a count is a count except in our own.
 *
 * @typedef {import('./recording-builder').Told} Told
 */

const OWN_THREAD = /^\[(.*) (main|worker|native) tid=(\d{1,10}) (us|wall-us|bytes|count)\]$/s;
const FOREIGN_THREAD = /^\[(.*) tid=(\d{1,10})\]$/s;
/** What we wrote before threads were marked: a place with a line, and async-profiler's mark of JavaScript behind it. */
const OLD_OWN_FRAME = / \S+:\d+_\[[0ij]\](?:;| \d+$)/;
const COUNT = /^\d{1,18}(?:\.\d{1,18})?$/;
const SUFFIX = /_\[([0ijk1])\]$/;

/** Stacks whose lines are remembered; the same ones come again and again. */
const MOST_REMEMBERED = 200_000;

/** @param {string} text @param {boolean} isOwn @returns {Told} */
function toldOf(text, isOwn) {
  const suffix = SUFFIX.exec(text.slice(-5))?.[1] ?? '';
  const name = suffix === '' ? text : text.slice(0, -4);
  const marks = /** @type {Pick<Told, 'tier' | 'inlined'>} */ ({
    tier: suffix === '0' ? 'interpreted' : '',
    inlined: suffix === 'i',
  });
  if (suffix === '' || suffix === 'k') {
    const place = isOwn ? ownPlace(name) : null;
    // Of native code whose source is known we write it, with its line.
    const native = place !== null && place.line > 0 ? place : { functionName: name };
    return toldOfV8(name) ?? { ...native, kind: 'native' };
  }
  return { ...((isOwn ? ownPlace(name) : splitPlace(name)) ?? { functionName: name }), ...marks };
}

/** In our own files a place has no blank. @param {string} text */
function ownPlace(text) {
  const { text: rest, line, column } = splitNumbers(text);
  const blank = rest.lastIndexOf(' ');
  if (blank < 0 || (line === 0 && splitPlace(text) === null)) return null;
  return { functionName: rest.slice(0, blank), url: decodePlace(rest.slice(blank + 1)), line, column };
}

/** Which thread a first frame is, or null. @param {string} first */
function threadOf(first) {
  const own = OWN_THREAD.exec(first);
  if (own !== null) {
    const [, name, kind, tid, unit] = own;
    return { name, kind: /** @type {'main' | 'worker' | 'native'} */ (kind), tid: Number(tid), unit };
  }
  const foreign = FOREIGN_THREAD.exec(first);
  return foreign === null ? null : { name: foreign[1], kind: undefined, tid: Number(foreign[2]), unit: null };
}

/** What values are, by the unit of our own files; null: they say none. @param {string | null} unit */
function meaningOf(unit) {
  switch (unit) {
    case 'us':
      return { scale: 1e3 };
    case 'wall-us':
      return { scale: 1e3, mode: /** @type {const} */ ('wall') };
    case 'bytes':
      return { scale: 1, measure: { name: 'memory', unit: /** @type {const} */ ('bytes') } };
    default:
      return { scale: 1, measure: { name: 'samples', unit: /** @type {const} */ ('count') } };
  }
}

/** @param {string} line @param {number} number @returns {{ stack: string, count: number }} */
function splitCount(line, number) {
  const text = line.trimEnd();
  let blank = text.length;
  while (blank > 0 && text[blank - 1] !== ' ' && text[blank - 1] !== '\t') blank--;
  const count = text.slice(blank);
  const stack = text.slice(0, blank).trimEnd();
  if (stack === '' || !COUNT.test(count))
    throw new Malformed(`line ${number}`, `"frame;frame count" is expected, not ${excerpt(line)}`);
  return { stack, count: Number(count) };
}

/** Whether lines have two counts, as those for a differential flame graph. @param {string[]} lines */
function hasTwoCounts(lines) {
  return lines.length > 0 && lines.every((line) => / \d+ \d+\s*$/.test(line));
}

/**
 * @param {Buffer} bytes text
 * @param {string[]} head its first lines
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readCollapsed(bytes, head) {
  if (hasTwoCounts(head))
    throw new Malformed(
      'line 1',
      'it has two counts a line, for a differential flame graph; spprof diff takes the two files',
    );
  const isOldOwn = head.some((line) => OLD_OWN_FRAME.test(line));
  const builder = new RecordingBuilder();
  /** @type {Map<string, number>} */
  const frames = new Map();
  /** @type {Map<string, { thread: number, stack: number }>} */
  const stacks = new Map();
  /** @type {string | null} */
  let unit = isOldOwn ? 'us' : null;
  let hasOwnThread = isOldOwn;

  /** @param {string} text */
  const stackOf = (text) => {
    const parts = text.split(';');
    const told = threadOf(parts[0]);
    if (told?.unit != null) [unit, hasOwnThread] = [told.unit, true];
    const isThread = told !== null || isOldOwn;
    const thread =
      told !== null
        ? builder.thread(told.name, { tid: told.tid, ...(told.kind && { kind: told.kind }) })
        : builder.thread(isOldOwn ? parts[0] : '');
    let stack = 0;
    for (let i = isThread ? 1 : 0; i < parts.length; i++) {
      let frame = frames.get(parts[i]);
      if (frame === undefined) {
        frame = builder.frame(toldOf(parts[i], hasOwnThread));
        frames.set(parts[i], frame);
      }
      stack = builder.child(stack, frame);
    }
    return { thread, stack };
  };

  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    if (isIdle(line)) continue;
    const { stack: text, count } = splitCount(line, number);
    let known = stacks.get(text);
    if (known === undefined) {
      known = stackOf(text);
      if (stacks.size < MOST_REMEMBERED) stacks.set(text, known);
    }
    const value = count * meaningOf(unit).scale;
    builder.add({ ...known, timeNs: 0, cpuNs: value });
  }
  if (builder.sampleCount === 0) throw new Malformed('line 1', 'there is no stack in it');
  const { scale: _, ...meaning } = meaningOf(unit);
  if (unit === null) builder.note('the file does not say what its counts are; they are shown as counts');
  return builder.build({ source: 'collapsed', durationNs: 0, ...meaning });
}

module.exports = { readCollapsed };
