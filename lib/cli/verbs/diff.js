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

/**
 * `spprof diff <before> <after>`: a table, or the differential flame graph.
 * @param {import('../arguments').DiffRequest} request
 * @param {import('../run').Io} io
 */
async function diff({ file, second, outputs, reading, top, sort, json }, io) {
  const planned = planOutputs({ outputs: outputs.length > 0 ? outputs : ['-.html'], format: null }, io.cwd());
  const other = planned.find(({ format }) => format !== 'flamegraph');
  if (other !== undefined) throw errors.usage(`diff writes flame graphs (.html), not ${path.basename(other.pattern)}`);
  if (outputs.length > 0) checkOutputs(planned);
  const { profile: before } = await openRecording(file, { reading, io });
  const { profile: after } = await openRecording(second, { reading, io });
  const [one, whole] = before.isOneThread ? [before, after] : [after, before];
  if (one.isOneThread && !whole.isOneThread && whole.threads.length > 1) {
    const name = path.basename(before.isOneThread ? file : second);
    io.stderr.write(`spprof: ${name} holds one thread; it is compared with that thread of the other\n`);
  }
  for (const { pattern } of outputs.length > 0 ? planned : []) {
    await after.writeDifference(before, pattern, { before: path.basename(file), after: path.basename(second) });
    io.stdout.write(`${pattern}\n`);
  }
  const rows = after.diff(before);
  if (json) io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (outputs.length === 0)
    io.stdout.write(`${tableOf(rows, { top, sort, folder: io.cwd() }).map(visible).join('\n')}\n`);
  return 0;
}

module.exports = { diff };
