'use strict';

const { callerIn, isRegExpCode, isScript, placeKey } = require('../evidence');
const { formatNs, formatPercent } = require('../../base/units');
const { placeText } = require('../words');

/**
 * Regular expressions that backtrack. A sampler does not see where one match ends and the next begins. It sees long stretches in which
 * every sample of a thread is in one expression; between short matches some samples would fall into the code around them.
 */

const MATCHING =
  /^v8::internal::(\{anonymous\}::)?(IrregexpInterpreter|RegExpImpl::Irregexp\w*|RegExp::Exec\w*|RawMatch)(::|$)/;
/** A stretch is long from this time and this number of samples on. */
const LONG_NS = 200e6;
const LONG_SAMPLES = 20;

/** @param {import('../evidence').Evidence} evidence @param {import('../../../binding').NativeFrame[]} path */
function callerOfMatch(evidence, path) {
  const end = path.findIndex(isScript);
  const isMatching = path
    .slice(0, Math.max(end, 0))
    .some((frame) => isRegExpCode(frame) || MATCHING.test(evidence.nameOf(frame)));
  return isMatching ? (callerIn(path) ?? path[end]) : null;
}

/** @param {import('../evidence').Evidence} evidence */
function longStretches(evidence) {
  const { sampleStacks, sampleThreads } = evidence.recording;
  const { weights } = evidence;
  /** @type {Map<number, import('../../../binding').NativeFrame | null>} */
  const callers = new Map();
  /** @type {Map<string, { frame: import('../../../binding').NativeFrame, ns: number, samples: number, longestNs: number }>} */
  const found = new Map();
  let [key, ns, samples] = ['', 0, 0];
  /** @type {import('../../../binding').NativeFrame | null} */
  let frame = null;
  const end = () => {
    if (frame === null || ns < LONG_NS || samples < LONG_SAMPLES) return;
    const own = found.get(placeKey(frame)) ?? { frame, ns: 0, samples: 0, longestNs: 0 };
    found.set(placeKey(frame), own);
    own.ns += ns;
    own.samples += samples;
    own.longestNs = Math.max(own.longestNs, ns);
  };
  for (let i = 0; i < sampleStacks.length; i++) {
    const stack = sampleStacks[i];
    if (!callers.has(stack)) callers.set(stack, callerOfMatch(evidence, evidence.path(stack)));
    const caller = callers.get(stack) ?? null;
    const next = caller === null ? '' : `${sampleThreads[i]}\0${placeKey(caller)}`;
    if (next !== key) {
      end();
      [key, ns, samples, frame] = [next, 0, 0, caller];
    }
    ns += weights[i];
    samples++;
  }
  end();
  return [...found.values()].sort((a, b) => b.ns - a.ns || (placeKey(a.frame) < placeKey(b.frame) ? -1 : 1));
}

/** @type {import('../rule').Rule} */
const BACKTRACKING = {
  id: 'regexp',
  threshold: 0.05,
  condition: `of the time is spent in stretches of at least ${formatNs(LONG_NS)} and ${LONG_SAMPLES} samples in which every sample of a thread is in one regular expression`,
  advice:
    'A match that takes so long usually backtracks: look for repetitions within repetitions ((a+)+), or side by side that can match the same text (\\s*\\s*), and make them exclusive; or limit the length of the text.',
  find(evidence) {
    const stretches = longStretches(evidence);
    if (stretches.length === 0) return null;
    const ns = stretches.reduce((sum, each) => sum + each.ns, 0);
    const [{ frame, longestNs }] = stretches;
    return {
      ...{ ns, samples: stretches.reduce((sum, each) => sum + each.samples, 0), frame },
      text: (folder) =>
        `${formatPercent(ns, evidence.ns)} of the time is spent in a regular expression at ${placeText(frame, folder)}${stretches.length > 1 ? ' and others' : ''}, up to ${formatNs(longestNs)} without a break`,
    };
  },
};

module.exports = { rule: BACKTRACKING };
