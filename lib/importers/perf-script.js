'use strict';

const { Malformed, RecordingBuilder } = require('./recording-builder');

/**
 * What `perf script` prints of a recording with call chains: a line for each sample (command, process, time, period, event),
 * and below it its frames, leaf first (address, symbol, module). JavaScript has names where the program ran with
 * `--perf-basic-prof`: `JS:*name file:line:column`, before V8 10 `LazyCompile:*name file:line`.
 */

/** `node 123/124 [001] 456.789012:  250000 cpu-clock:ppp: ` */
const HEAD = /^(\S.*?)\s+(\d+)(?:\/(\d+))?\s+(?:\[\d+\]\s+)?(\d+\.\d+):\s+(?:(\d+)\s+)?(\S+?):/;
const FRAME = /^\s+([0-9a-f]+)\s+(.*?)(?:\+0x[0-9a-f]+)?\s+\((.*)\)\s*$/;
const SCRIPT = /^(?:JS|LazyCompile|Function|Script|Eval):([*~^+']*)(.*?)(?: (\S+?))?(?::(\d+))?(?::(\d+))?$/;
const TIERS = /** @type {Record<string, import('../../binding').NativeFrame['tier']>} */ ({
  '*': 'turbofan',
  '+': 'maglev',
  '^': 'baseline',
  '~': 'interpreted',
});
const NS_OF_CLOCKS = /^(cpu-clock|task-clock)/;

/** @param {string} text */
function isPerfScript(text) {
  return HEAD.test(text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '');
}

/** @param {string} symbol @param {string} module @param {string} address */
function toldOf(symbol, module, address) {
  const script = SCRIPT.exec(symbol);
  if (script !== null) {
    const [, tier, functionName, url = '', line = '0', column = '0'] = script;
    return { functionName, url, line: Number(line), column: Number(column), tier: TIERS[tier] ?? '' };
  }
  const name = symbol === '[unknown]' ? `0x${address}` : symbol;
  return { functionName: name, module, kind: /** @type {const} */ ('native') };
}

/**
 * @param {string} text
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readPerfScript(text) {
  const builder = new RecordingBuilder();
  /** @type {{ thread: number, timeNs: number, ns: number, frames: number[] } | null} */
  let sample = null;
  let startNs = 0;
  const finish = () => {
    if (sample === null) return;
    const stack = sample.frames.reverse().reduce((parent, frame) => builder.child(parent, frame), 0);
    builder.add({ thread: sample.thread, timeNs: sample.timeNs, cpuNs: sample.ns, stack });
    sample = null;
  };
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) {
      finish();
      continue;
    }
    const frame = /^\s/.test(line) ? FRAME.exec(line) : null;
    if (frame !== null && sample !== null) {
      sample.frames.push(builder.frame(toldOf(frame[2], frame[3], frame[1])));
      continue;
    }
    finish();
    const head = HEAD.exec(line);
    if (head === null)
      throw new Malformed(
        `line ${i + 1}`,
        `a sample or a frame of perf script is expected, not ${JSON.stringify(line.slice(0, 60))}`,
      );
    const [, command, pid, tid = pid, seconds, period = '1', event] = head;
    const timeNs = Number(seconds) * 1e9;
    if (builder.isEmpty && startNs === 0) startNs = timeNs;
    const thread = builder.thread(command, { tid: Number(tid), kind: tid === pid ? 'main' : 'native' });
    // Of other events (cycles) a period is no time: a sample then counts as a millisecond.
    sample = { thread, timeNs: timeNs - startNs, ns: NS_OF_CLOCKS.test(event) ? Number(period) : 1e6, frames: [] };
  }
  finish();
  if (builder.isEmpty) throw new Malformed('line 1', 'there is no sample in it');
  return builder.build({ source: 'perf script' });
}

module.exports = { isPerfScript, readPerfScript };
