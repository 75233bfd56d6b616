'use strict';

const path = require('node:path');
const { placer } = require('../../recording/frames');
const { shortNames } = require('../../recording/native-names');
const { visible } = require('../../base/visible');
const { openRecording } = require('../io/input');
const { checkOutputs, planOutputs } = require('../io/output-names');
const { errors } = require('../../base/errors');

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(1)} %`;
/** @param {number} change */
const points = (change) => `${change < 0 ? '-' : '+'}${(100 * Math.abs(change)).toFixed(1)}`;

/** Less than a tenth of a point is what formats round away. */
const LEAST_CHANGE = 0.0005;

/**
 * @param {import('../../index').FunctionDifference[]} rows
 * @param {{ top: number, sort: 'self' | 'total', folder: string }} settings
 */
function tableOf(rows, { top, sort, folder }) {
  const [change, share] =
    sort === 'self'
      ? /** @type {const} */ (['selfChange', 'selfShare'])
      : /** @type {const} */ (['totalChange', 'totalShare']);
  const shown = [...rows]
    .sort((a, b) => Math.abs(b[change]) - Math.abs(a[change]))
    .filter((row) => Math.abs(row[change]) >= LEAST_CHANGE)
    .slice(0, top);
  const short = shortNames(shown.filter(({ kind }) => kind === 'native').map(({ functionName }) => functionName));
  const whereOf = placer(rows);
  const lines = shown.map((row) => {
    const name = row.kind === 'native' ? short(row.functionName) : row.functionName;
    const where = whereOf(/** @type {any} */ (row), folder);
    return `${points(row[change]).padStart(8)}${percent(row.before[share]).padStart(10)}${percent(row.after[share]).padStart(10)}  ${name}  ${where}`.trimEnd();
  });
  return [`${'points'.padStart(8)}${'before'.padStart(10)}${'after'.padStart(10)}  function (${sort} time)`, ...lines];
}

/** @param {import('../arguments').DiffRequest} request @param {import('../run').Io} io */
function checkRequest({ outputs, format, json }, io) {
  if (format !== null && format !== 'markdown' && format !== 'text') {
    throw errors.optionRange('--format', format, 'of diff: text or markdown, on standard output');
  }
  if (format !== null && json) throw errors.usage('--json and --format say how diff prints; give one of them');
  const planned = planOutputs({ outputs: outputs.length > 0 ? outputs : ['-.html'], format: null }, io.cwd());
  const other = planned.find((each) => each.format !== 'flamegraph');
  if (other !== undefined) throw errors.usage(`diff writes flame graphs (.html), not ${path.basename(other.pattern)}`);
  if (outputs.length === 0) return [];
  checkOutputs(planned);
  return planned;
}

/**
 * `spprof diff <before> <after>`: a table, or the differential flame graph; whether something got slower.
 * @param {import('../arguments').DiffRequest} request
 * @param {import('../run').Io} io
 * @returns {Promise<number>} exit status: 1 when something got slower by more than was allowed
 */
async function diff(request, io) {
  const { file, second, outputs, format, reading, top, sort, failOver, json } = request;
  const planned = checkRequest(request, io);
  const { profile: before } = await openRecording(file, { reading, io });
  const { profile: after } = await openRecording(second, { reading, io });
  const [one, whole] = before.isOneThread ? [before, after] : [after, before];
  if (one.isOneThread && !whole.isOneThread && whole.threads.length > 1) {
    const name = path.basename(before.isOneThread ? file : second);
    io.stderr.write(`spprof: ${name} holds one thread; it is compared with that thread of the other\n`);
  }
  for (const { pattern } of planned) {
    await after.writeDifference(before, pattern, { before: path.basename(file), after: path.basename(second) });
    io.stdout.write(`${pattern}\n`);
  }
  const rows = after.diff(before);
  const comparison = failOver === null ? null : after.compare(before, { limit: failOver });
  const settings = { folder: io.cwd(), measure: after.measure };
  if (json) {
    io.stdout.write(`${JSON.stringify(comparison === null ? rows : { functions: rows, comparison }, null, 2)}\n`);
  } else {
    const isMarkdown = format === 'markdown';
    const { comparisonLines, comparisonMarkdown } = require('../../exporters/comparison');
    const table = outputs.length > 0 && format === null ? [] : tableOf(rows, { top, sort, folder: io.cwd() });
    const verdict =
      comparison === null ? [] : (isMarkdown ? comparisonMarkdown : comparisonLines)(comparison, settings);
    const all = isMarkdown ? [...verdict, '', '```text', ...table, '```'] : [...table, ...verdict];
    if (all.length > 0) io.stdout.write(`${all.map(visible).join('\n')}\n`);
  }
  return comparison?.isSlower ? 1 : 0;
}

module.exports = { diff };
