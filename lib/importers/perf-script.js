'use strict';

const { Malformed, excerpt } = require('./malformed');
const { toldOfV8 } = require('./places');
const { RecordingBuilder } = require('./recording-builder');
const { isIdle, linesOf } = require('./text-lines');

/**
 * What `perf script` prints: a line for each sample (command, process, time, period, event), and below it its frames, leaf
 * first (address, symbol, module); without call chains the one frame stands on the same line. A program that ran with
 * `--perf-basic-prof` has JavaScript's names in it.
 *
 * Values are the periods: nanoseconds for a clock, else what the event counts; without periods, samples. Of several events
 * one is read: a clock, or the one with the most samples.
 *
 * @typedef {{ builder: RecordingBuilder, hasPeriods: boolean, startNs: number }} Event
 */

/** `node 123/124 [001] 456.789012:  250000 cpu-clock:ppp: ` */
const HEAD =
  /^ {0,40}(\S.{0,60}?)\s+(\d{1,10})(?:\/(\d{1,10}))?\s+(?:\[\d+\]\s+)?(?:[^\s:[\d][^\s:]{0,8}\s+)?(\d+\.\d+):\s+(?:(\d{1,20})\s+)?(\S{1,100}):(?=\s|$)/;
/** Longer than a head can be. */
const HEAD_LENGTH = 400;
const ADDRESS = /^\s{0,64}([0-9a-f]{1,16})\s{1,8}(?=\S)/;
const OFFSET = /\+0x[0-9a-f]{1,16} \(/g;
const CLOCK = /^(cpu-clock|task-clock)/;

/** @param {string} line */
function headOf(line) {
  return HEAD.exec(line.slice(0, HEAD_LENGTH));
}

/** @param {string[]} lines the first */
function isPerfScript(lines) {
  return lines.length > 0 && headOf(lines[0]) !== null;
}

/** Whether frames are there, and heads of another shape. @param {string[]} lines the first */
function isPerfScriptWithoutTimes(lines) {
  return lines.some((line) => /^\s+[0-9a-f]{4,16} \S/.test(line));
}

/** Where ` (module)` begins: symbols and paths have parentheses too. @param {string} text that ends in `)` */
function moduleStart(text) {
  const unknown = '[unknown] (';
  if (text.startsWith(unknown)) return { symbol: '[unknown]', from: unknown.length };
  let last = null;
  for (const match of text.matchAll(OFFSET)) last = match;
  if (last !== null) return { symbol: text.slice(0, last.index), from: last.index + last[0].length };
  // The last ` (` whose parentheses are in balance up to the end.
  let depth = 0;
  for (let at = text.length - 1; at > 0; at--) {
    if (text[at] === ')') depth++;
    else if (text[at] === '(' && --depth === 0) {
      return text[at - 1] === ' ' ? { symbol: text.slice(0, at - 1), from: at + 1 } : null;
    }
  }
  return null;
}

/** @param {string} line @returns {{ address: string, symbol: string, module: string } | null} */
function splitFrame(line) {
  const head = ADDRESS.exec(line);
  if (head === null) return null;
  const text = line.slice(head[0].length).trimEnd();
  if (!text.endsWith(')')) return null;
  const start = moduleStart(text);
  if (start === null) return null;
  return { address: head[1], symbol: start.symbol.trimEnd(), module: text.slice(start.from, -1) };
}

/** @param {{ address: string, symbol: string, module: string }} frame */
function toldOf({ address, symbol, module }) {
  const told = toldOfV8(symbol);
  if (told !== null) return told;
  const functionName = symbol === '[unknown]' || symbol === '' ? `0x${address}` : symbol;
  return { functionName, module, kind: /** @type {const} */ ('native') };
}

/** The event that is read, and what is left out. @param {Map<string, Event>} events */
function chosenOf(events) {
  const [[name, event], ...others] = [...events].sort(
    ([a, { builder: left }], [b, { builder: right }]) =>
      Number(CLOCK.test(b)) - Number(CLOCK.test(a)) || right.sampleCount - left.sampleCount,
  );
  if (others.length > 0) {
    const left = others.map(([other, { builder }]) => `${other} (${builder.sampleCount})`).join(', ');
    event.builder.note(`of several events ${name} is read; left out are the samples of ${left}`);
  }
  return { name, event };
}

/** What the values of an event are. @param {string} name @param {Event} event */
function measureOf(name, { builder, hasPeriods }) {
  if (CLOCK.test(name) && hasPeriods) return undefined;
  if (hasPeriods) return { name: name.replace(/:[a-zA-Z]*$/, ''), unit: /** @type {const} */ ('count') };
  builder.note(`the samples of ${name} have no periods; they are counted`);
  return { name: 'samples', unit: /** @type {const} */ ('count') };
}

/**
 * @param {Buffer} bytes text
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readPerfScript(bytes) {
  /** @type {Map<string, Event>} */
  const events = new Map();
  /** @type {{ event: Event, thread: number, timeNs: number, value: number, frames: number[] } | null} */
  let sample = null;
  const finish = () => {
    if (sample === null) return;
    const { event, thread, timeNs, value, frames } = sample;
    const stack = frames.reverse().reduce((parent, frame) => event.builder.child(parent, frame), 0);
    event.builder.add({ thread, timeNs, cpuNs: value, stack });
    sample = null;
  };
  /** @param {string} name */
  const eventOf = (name) => {
    let event = events.get(name);
    if (event === undefined) {
      event = { builder: new RecordingBuilder(), hasPeriods: true, startNs: -1 };
      events.set(name, event);
    }
    return event;
  };
  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    if (isIdle(line)) {
      finish();
      continue;
    }
    // Frames begin with a tab; the command of a head may stand behind blanks, and look like an address.
    const head = line.startsWith('\t') ? null : headOf(line);
    const frame = sample !== null && head === null && /^\s/.test(line) ? splitFrame(line) : null;
    if (frame !== null && sample !== null) {
      sample.frames.push(sample.event.builder.frame(toldOf(frame)));
      continue;
    }
    finish();
    if (head === null)
      throw new Malformed(`line ${number}`, `a sample or a frame of perf script is expected, not ${excerpt(line)}`);
    const [all, command, pid, tid = pid, seconds, period, name] = head;
    const event = eventOf(name);
    if (period === undefined) event.hasPeriods = false;
    const timeNs = Number(seconds) * 1e9;
    if (event.startNs < 0) event.startNs = timeNs;
    const isMain = tid === pid && head[3] !== undefined;
    const thread = event.builder.thread(command, {
      tid: Number(tid),
      ...(head[3] === undefined
        ? {}
        : { kind: isMain ? /** @type {const} */ ('main') : /** @type {const} */ ('native') }),
    });
    sample = { event, thread, timeNs: timeNs - event.startNs, value: Number(period ?? 1), frames: [] };
    const only = splitFrame(line.slice(all.length));
    if (only !== null) sample.frames.push(event.builder.frame(toldOf(only)));
  }
  finish();
  if (events.size === 0) throw new Malformed('line 1', 'there is no sample in it');
  const { name, event } = chosenOf(events);
  const measure = measureOf(name, event);
  return event.builder.build({ source: 'perf script', ...(measure && { measure }) });
}

module.exports = { isPerfScript, isPerfScriptWithoutTimes, readPerfScript };
