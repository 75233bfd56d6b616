'use strict';

const { formatPercent } = require('../../base/units');
const { isScript } = require('../evidence');
const { placeText } = require('../words');

/**
 * Functions that V8 optimizes and throws back without end. V8 does not say so to a sampler; what the samples show is how often a thread
 * was seen optimizing or deoptimizing one function, and how often the function was seen in slower code after it had run in optimized
 * code. A function that settles is optimized a few times: once for each compiler, and once for each loop that is hot before that.
 *
 * @typedef {import('../../../binding').NativeFrame} Frame
 */

const AT_WORK =
  /^v8::internal::(\{anonymous\}::)?(Deoptimizer|Runtime_NotifyDeoptimized|GetOrCompileOptimized|CompileOptimized\w*|CompileTurbofan\w*|CompileMaglev|Compiler::CompileOptimized\w*|Runtime_CompileOptimized\w*)(::|$)/;
const OPTIMIZED = ['maglev', 'turbofan', 'optimized'];

/** Times that one function was seen being optimized or deoptimized, and of those and its falls together, from which on it is a loop. */
const LEAST_AT_WORK = 6;
const LEAST_EVENTS = 12;
/** And a second of the function's time: in a long recording any function may settle again now and then. */
const LEAST_RATE = 2;

/** @typedef {{ frame: Frame, ns: number, samples: number, slowNs: number, falls: number, atWork: number, wasFast: boolean }} History */

/** @param {Frame} frame @param {number} thread */
function keyOf({ functionName, url, line, column }, thread) {
  return [thread, functionName, url, line, column].join('\0');
}

/** What happened to each function of the program, in order of time. @param {import('../evidence').Evidence} evidence */
function historiesOf(evidence) {
  const { sampleStacks, sampleThreads } = evidence.recording;
  const { weights } = evidence;
  /** @type {Map<string, History>} */
  const histories = new Map();
  /** @type {Map<number, { path: Frame[], end: number, isAtWork: boolean }>} */
  const seen = new Map();
  let before = '';
  for (let i = 0; i < sampleStacks.length; i++) {
    const stack = sampleStacks[i];
    let known = seen.get(stack);
    if (known === undefined) {
      const path = evidence.path(stack);
      known = { path, end: path.findIndex(isScript), isAtWork: evidence.isOnTop(path, AT_WORK) };
      seen.set(stack, known);
    }
    const frame = known.path[known.end];
    // An inlined function is as fast as what it is in.
    if (frame === undefined || frame.inlined || frame.url.startsWith('node:')) {
      before = '';
      continue;
    }
    const key = keyOf(frame, sampleThreads[i]);
    const own = histories.get(key) ?? { frame, ns: 0, samples: 0, slowNs: 0, falls: 0, atWork: 0, wasFast: false };
    histories.set(key, own);
    const isFast = OPTIMIZED.includes(frame.tier);
    own.ns += weights[i];
    own.samples++;
    if (!isFast) own.slowNs += weights[i];
    if (own.wasFast && !isFast) own.falls++;
    own.wasFast = isFast;
    if (known.isAtWork && before !== key) own.atWork++;
    before = known.isAtWork ? key : '';
  }
  return [...histories.values()];
}

/** @param {History} history */
function isLoop({ atWork, falls, ns }) {
  return atWork >= LEAST_AT_WORK && atWork + falls >= Math.max(LEAST_EVENTS, (LEAST_RATE * ns) / 1e9);
}

/** @type {import('../rule').Rule} */
const DEOPTIMIZATION_LOOP = {
  id: 'deoptimization',
  threshold: 0.05,
  condition: `of the time is spent in functions that were seen being optimized, deoptimized or falling back to slower code at least ${LEAST_EVENTS} times and ${LEAST_RATE} times a second of their time, of which at least ${LEAST_AT_WORK} times with V8 at that work`,
  advice:
    'Something that V8 relied on changes again and again: a prototype (Object.setPrototypeOf, methods that are replaced), the types of a variable, or the shape of an object. Node.js shows the reason with --trace-deopt.',
  find(evidence) {
    const loops = historiesOf(evidence)
      .filter(isLoop)
      .sort((a, b) => b.ns - a.ns || (keyOf(a.frame, 0) < keyOf(b.frame, 0) ? -1 : 1));
    if (loops.length === 0) return null;
    const [{ frame, ns, slowNs, falls, atWork }] = loops;
    const all = loops.reduce((sum, each) => sum + each.ns, 0);
    return {
      ...{ ns: all, samples: loops.reduce((sum, each) => sum + each.samples, 0), frame },
      text: (folder) => {
        const others = loops.length > 1 ? `, and ${formatPercent(all - ns, evidence.ns)} in other such functions` : '';
        const place = placeText({ ...frame, sampledLine: 0 }, folder);
        return `${formatPercent(ns, evidence.ns)} of the time is spent in ${place}, which V8 optimizes and throws back without end (seen at that work ${atWork} times, back in slower code ${falls} times; ${formatPercent(slowNs, ns)} of its time is in slower code)${others}`;
      },
    };
  },
};

module.exports = { rule: DEOPTIMIZATION_LOOP };
