'use strict';

const { columnUnit, formatValue, measureOf } = require('../recording/measure');
const { formatPercent } = require('../base/units');
const { threadNamer } = require('../recording/recorded-processes');
const { cell } = require('./markdown-cell');
const { categoryLine, engineLines, headLine, healthLines, tableRows } = require('./text');
const { processLines, processesText } = require('./process-text');

/**
 * The report as Markdown: for an issue, a pull request, a chat.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** Parts of a category in its row. */
const PARTS = 5;

/** @param {import('../index').Category[]} categories */
function* categoryPieces(categories) {
  yield '## Where the time went\n\n| share | category | the largest parts |\n| ---: | --- | --- |\n';
  for (const { name, percent, parts } of categories) {
    const largest = parts.slice(0, PARTS).map((part) => `${part.name} ${part.percent.toFixed(1)} %`);
    yield `| ${percent.toFixed(1)} % | ${name} | ${cell(largest.join(', '))} |\n`;
  }
}

/** @param {import('../index').Advice[]} advice */
function* advicePieces(advice) {
  if (advice.length === 0) return;
  yield '\n## Advice\n\n';
  for (const [i, { rule, found, advice: what }] of advice.entries()) {
    yield `${i + 1}. **${cell(found)}** ${cell(what)} (${rule})\n`;
  }
}

/**
 * @param {import('./text').Report} report
 * @param {import('../index').Advice[]} advice
 * @returns {Generator<string>}
 */
function* markdownPieces(report, advice) {
  const { recording, functions, ns, categories, ...settings } = report;
  const { threads } = recording;
  const nameOf = threadNamer(recording);
  const measure = measureOf(recording);
  yield `# Profile${recording.importedFrom === undefined ? ` of ${processesText(recording)}` : ''}\n\n`;
  yield `${cell(categoryLine(categories))}\n\n${[headLine(report), ...processLines(recording, ns).map(cell)].join('\n\n')}\n\n`;
  yield* categoryPieces(categories);
  yield `\n## Functions\n\n| self | self ${columnUnit(measure)} | total | function | where |\n| ---: | ---: | ---: | --- | --- |\n`;
  for (const { self, ms, total, name, where } of tableRows(recording, functions, ns, settings)) {
    yield `| ${self} | ${ms} | ${total} | ${cell(name)} | ${cell(where)} |\n`;
  }
  yield* advicePieces(advice);
  yield '\n## Threads\n\n| thread | kind | samples | time | share |\n| --- | --- | ---: | ---: | ---: |\n';
  for (const thread of threads) {
    const { tid, kind, sampleCount, cpuNs, wallNs } = thread;
    const own = recording.mode === 'wall' ? wallNs : cpuNs;
    yield `| ${cell(nameOf(thread))} (${tid}) | ${kind} | ${sampleCount} | ${formatValue(own, measure.unit)} | ${formatPercent(own, ns)} |\n`;
  }
  const lines = [...healthLines(recording), ...engineLines(recording)];
  yield `\n## Recording\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n`;
}

module.exports = { markdownPieces };
