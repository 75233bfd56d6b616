'use strict';

const { columnUnit, countText, formatValue, measureOf } = require('../recording/measure');
const { formatNs, formatPercent } = require('../base/units');
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
  const { durationNs, timer, intervalNs, nodeVersion, pid, sampleTimes, threads } = recording;
  const isOwn = recording.importedFrom === undefined;
  yield `# Profile${isOwn ? ` of process ${pid}` : ''}\n\n`;
  const measure = measureOf(recording);
  yield `${countText(sampleTimes.length, ns, measure)}`;
  const source = isOwn
    ? `timer ${timer}, ${formatNs(intervalNs)}; Node ${nodeVersion}`
    : `read from ${recording.importedFrom}`;
  yield `${durationNs > 0 || isOwn ? ` in ${formatNs(durationNs)}` : ''}; ${source}.\n\n`;
  yield `## Functions\n\n| self | self ${columnUnit(measure)} | total | function | where |\n| ---: | ---: | ---: | --- | --- |\n`;
  for (const { self, ms, total, name, where } of tableRows(recording, functions, ns, settings)) {
    yield `| ${self} | ${ms} | ${total} | ${cell(name)} | ${cell(where)} |\n`;
  }
  yield '\n## Threads\n\n| thread | kind | samples | time | share |\n| --- | --- | ---: | ---: | ---: |\n';
  for (const { name, tid, kind, sampleCount, cpuNs, wallNs } of threads) {
    const own = recording.mode === 'wall' ? wallNs : cpuNs;
    yield `| ${cell(name)} (${tid}) | ${kind} | ${sampleCount} | ${formatValue(own, measure.unit)} | ${formatPercent(own, ns)} |\n`;
  }
  yield `\n## Recording\n\n\`\`\`text\n${statsLines(recording).join('\n')}\n\`\`\`\n`;
}

module.exports = { markdownPieces };
