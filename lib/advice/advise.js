'use strict';

const { displayName } = require('../recording/frames');
const { measureOf } = require('../recording/measure');
const { Evidence } = require('./evidence');
const { RULES } = require('./rules');

/**
 * What a recording says that its author can change: the findings of all rules, those that touch the most time first. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../index').Advice} Advice
 */

/** Findings that a report has. */
const MOST_FINDINGS = 5;
/** Fewer samples say nothing. */
const LEAST_SAMPLES = 20;

/**
 * @param {Recording} recording in full view
 * @param {Recording} program the same in program view
 * @param {{ folder?: string }} [settings] paths below it are shown relative to it
 * @returns {Advice[]} at most five
 */
function advise(recording, program, { folder } = {}) {
  if (measureOf(recording).unit !== 'nanoseconds') return [];
  const evidence = new Evidence(recording, program);
  if (evidence.ns === 0) return [];
  return RULES.flatMap((rule) => {
    const found = rule.find(evidence);
    if (found === null || found.samples < LEAST_SAMPLES || found.ns < rule.threshold * evidence.ns) return [];
    const { ns, frame, text } = found;
    const where = frame && {
      ...{ functionName: displayName(frame), url: frame.url },
      line: frame.sampledLine > 0 ? frame.sampledLine : frame.line,
    };
    return [{ rule: rule.id, share: ns / evidence.ns, ns, where, found: `${text(folder)}.`, advice: rule.advice }];
  })
    .sort((a, b) => b.share - a.share)
    .slice(0, MOST_FINDINGS);
}

module.exports = { LEAST_SAMPLES, MOST_FINDINGS, advise };
