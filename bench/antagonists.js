'use strict';

/**
 * The long campaign: every antagonist under the sampler, its output and exit status compared with a run without it.
 *
 *     node bench/antagonists.js [--seconds 60] [--rate 10000 | --rate 0 for the default engine] [--node <path>]...
 *                               [--only <name>]... [--seed <n>] [--keep]
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { ANTAGONISTS } = require('../test/harm/antagonists/list');
const { runPlain, runRecorded } = require('../test/harm/antagonists/run');

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '10000' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  },
});

const COLUMNS = [
  'node',
  'antagonist',
  'result',
  'samples',
  'dropped',
  'truncated',
  'incomplete',
  'threads',
  'p50',
  'p99',
  'max',
];

/** @param {(string | number)[]} cells */
function row(cells) {
  const widths = [9, 16, 8, 10, 9, 10, 11, 8, 8, 9, 9];
  process.stdout.write(`${cells.map((cell, i) => String(cell).padEnd(widths[i])).join(' ')}\n`);
}

/** @param {number} ns */
const inMicroseconds = (ns) => (ns / 1000).toFixed(1);

/** @param {string} node @param {(typeof ANTAGONISTS)[number]} antagonist */
function measure(node, antagonist) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof antagonists '));
  const settings = { node, seconds: Number(values.seconds), seed: Number(values.seed), folder };
  const plain = runPlain(antagonist, { ...settings, seconds: 0 });
  const recorded = runRecorded(antagonist, { ...settings, rate: Number(values.rate) });
  const isRight =
    plain.status === antagonist.status && recorded.status === antagonist.status && recorded.stdout === plain.stdout;
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const stats = recorded.stats;
  row([
    ...[version, antagonist.name, isRight ? 'ok' : 'WRONG'],
    ...(stats === null
      ? []
      : [
          ...[stats.written, Object.values(stats.dropped).reduce((sum, each) => sum + each, 0), stats.truncated],
          ...[stats.incomplete, stats.threadsSeen],
          ...[stats.handlerNs.p50, stats.handlerNs.p99, stats.handlerNs.max].map(inMicroseconds),
        ]),
  ]);
  if (!isRight) {
    const text = { seed: values.seed, expected: plain, given: { ...recorded, stats: undefined } };
    process.stdout.write(`${JSON.stringify(text, null, 2)}\n`);
  }
  if (isRight && !values.keep) fs.rmSync(folder, { recursive: true });
  return isRight;
}

process.stdout.write(
  `seed ${values.seed}, ${values.seconds} s each, ${values.rate === '0' ? 'tick' : `${values.rate} Hz`}\n`,
);
row(COLUMNS);
const chosen = ANTAGONISTS.filter(({ name }) => values.only === undefined || values.only.includes(name));
const results = values.node.flatMap((node) => chosen.map((antagonist) => measure(path.resolve(node), antagonist)));
process.exitCode = results.every(Boolean) ? 0 : 1;
