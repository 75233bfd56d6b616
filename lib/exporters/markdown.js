'use strict';

const { formatNs, formatPercent, plural } = require('../units');
const { statsLines, tableRows } = require('./text');

/**
 * The report as Markdown: for an issue, a pull request, a chat.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** @param {string} text */
function cell(text) {
  return text.replace(/[\\`*_[\]<>|]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}

/**
 * @param {Recording} recording
 * @param {import('../index').FunctionSummary[]} functions most self time first
 * @param {number} ns of all samples
 * @param {{ limit: number, folder?: string }} settings
 * @returns {Generator<string>}
 */
function* markdownPieces(recording, functions, ns, settings) {
  const { durationNs, mode, timer, intervalNs, nodeVersion, pid, sampleTimes, threads } = recording;
  const isOwn = recording.importedFrom === undefined;
  yield `# Profile${isOwn ? ` of process ${pid}` : ''}\n\n`;
  yield `${plural(sampleTimes.length, 'sample')}, ${formatNs(ns)} of ${mode === 'wall' ? 'wall' : 'CPU'} time in `;
  const source = isOwn
    ? `timer ${timer}, ${formatNs(intervalNs)}; Node ${nodeVersion}`
    : `read from ${recording.importedFrom}`;
  yield `${formatNs(durationNs)}; ${source}.\n\n`;
  yield '## Functions\n\n| self | self ms | total | function | where |\n| ---: | ---: | ---: | --- | --- |\n';
  for (const { self, ms, total, name, where } of tableRows(recording, functions, ns, settings)) {
    yield `| ${self} | ${ms} | ${total} | ${cell(name)} | ${cell(where)} |\n`;
  }
  yield '\n## Threads\n\n| thread | kind | samples | time | share |\n| --- | --- | ---: | ---: | ---: |\n';
  for (const { name, tid, kind, sampleCount, cpuNs, wallNs } of threads) {
    const own = mode === 'wall' ? wallNs : cpuNs;
    yield `| ${cell(name)} (${tid}) | ${kind} | ${sampleCount} | ${formatNs(own)} | ${formatPercent(own, ns)} |\n`;
  }
  yield `\n## Recording\n\n\`\`\`text\n${statsLines(recording).join('\n')}\n\`\`\`\n`;
}

module.exports = { markdownPieces };
