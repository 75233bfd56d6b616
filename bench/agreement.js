'use strict';

/**
 * spprof beside V8's own profiler, in one run of one process: each function's share of the JavaScript self time in either. What builtins and
 * native code do for a function counts as the function's, as V8's profiler has it; garbage collection and idle time count in neither.
 *
 *     node bench/agreement.js [--seconds 20] [--rate 2000] [--top 10] [--node <path>]... [--node-flag <flag>]... [--work <name>]... [-- <script> [args...]]
 *
 * Two profilers that draw samples of the same truth differ by chance: `chance` is the L1 distance to be expected of so many samples
 * (for each function the mean of |a - b|, for a and b normal with the variances of the two shares).
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { readRecording } = require('../test/helpers/read-recording');
const { asV8Sees, builtinsWithFrame } = require('./agreement/v8-view');
const { WORKS } = require('./agreement/works');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '2000' },
    top: { type: 'string', default: '10' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    'node-flag': { type: 'string', multiple: true, default: [] },
    work: { type: 'string', multiple: true, default: Object.keys(WORKS) },
  },
});

const CLI = path.join(__dirname, '..', 'lib', 'cli', 'main.js');
const WORK = path.join(__dirname, 'agreement', 'works.js');
const VISIBLE = 0.01; // a share of self time that both can see in so many samples

/** @typedef {{ counts: Map<string, number>, sum: number }} Shares */

/** @param {Shares} shares @param {string} key @param {number} weight */
function add(shares, key, weight) {
  shares.counts.set(key, (shares.counts.get(key) ?? 0) + weight);
  shares.sum += weight;
}

/** @param {string} name @param {string} url @param {number} line @param {number} column */
function keyOf(name, url, line, column) {
  return `${name || '(anonymous)'} ${url.replace(/^file:\/\//, '')}:${line}:${column}`;
}

/**
 * A sample, for the innermost function of a script at a node or above it.
 * @param {Shares} shares @param {import('../binding').NativeRecording} recording @param {number} from @param {number} weight
 */
function addTo(shares, recording, from, weight) {
  for (let node = from; node !== 0; node = recording.stackParents[node]) {
    const { kind, functionName, url, line, column } = recording.frames[recording.stackFrames[node]];
    if (kind !== 'js' || url === '') continue;
    add(shares, keyOf(functionName, url, line, column), weight);
    return;
  }
}

/**
 * What we say, and what V8's profiler would make of the same samples.
 * @param {string} log
 * @param {Set<string>} framed
 */
async function sharesOfOurs(log, framed) {
  const recording = await readRecording(log);
  const main = recording.threads.find(({ kind }) => kind === 'main')?.id;
  const shares = { counts: new Map(), sum: 0 };
  const folded = { counts: new Map(), sum: 0 };
  const toV8 = asV8Sees(recording, framed);
  let complete = 0;
  for (const [i, stack] of recording.sampleStacks.entries()) {
    if (!(recording.sampleStates[i] & 4)) complete++;
    if (recording.sampleThreads[i] !== main || recording.sampleStates[i] & 1) continue;
    if (stack === 0) continue;
    addTo(shares, recording, stack, recording.sampleCpuNs[i]);
    addTo(folded, recording, toV8(stack), recording.sampleCpuNs[i]);
  }
  return { shares, folded, samples: recording.sampleStacks.length, complete: complete / recording.sampleStacks.length };
}

/** @param {string} file */
function sharesOfTheirs(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const byId = new Map(nodes.map((/** @type {any} */ node) => [node.id, node]));
  const parents = new Map();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const shares = { counts: new Map(), sum: 0 };
  for (const [i, id] of samples.entries()) {
    let node = byId.get(id);
    if (/^\((idle|garbage collector)\)$/.test(node.callFrame.functionName)) continue;
    while (node !== undefined && node.callFrame.url === '') node = byId.get(parents.get(node.id));
    if (node === undefined) continue;
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    add(shares, keyOf(functionName, url, lineNumber + 1, columnNumber + 1), timeDeltas[i + 1] ?? 0);
  }
  return { shares, samples: samples.length };
}

/** @param {string} node @param {string[]} argv @param {string} folder @param {Set<string>} framed */
async function compare(node, argv, folder, framed) {
  const rate = Number(values.rate);
  const theirFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${1e6 / rate}`];
  const options = ['-q', '-r', values.rate, '-o', path.join(folder, 'ours.spprof')];
  const result = spawnSync(node, [CLI, ...options, node, ...theirFlags, ...values['node-flag'], ...argv], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`${argv.join(' ')} ended with ${result.status}`);
  const ours = await sharesOfOurs(path.join(folder, 'ours.spprof'), framed);
  const theirs = sharesOfTheirs(
    path.join(
      folder,
      fs.readdirSync(folder).find((name) => name.endsWith('.cpuprofile')),
    ),
  );
  const rows = [
    ...new Set([...ours.shares.counts.keys(), ...ours.folded.counts.keys(), ...theirs.shares.counts.keys()]),
  ].map((key) => {
    const a = (ours.shares.counts.get(key) ?? 0) / ours.shares.sum;
    const c = (ours.folded.counts.get(key) ?? 0) / ours.folded.sum;
    const b = (theirs.shares.counts.get(key) ?? 0) / theirs.shares.sum;
    const p = (a + b) / 2;
    const chance = Math.sqrt((2 / Math.PI) * p * (1 - p) * (1 / ours.samples + 1 / theirs.samples));
    return { key, ours: a, folded: c, theirs: b, chance };
  });
  rows.sort((a, b) => Math.max(b.ours, b.theirs) - Math.max(a.ours, a.theirs));
  return { rows, samples: [ours.samples, theirs.samples], complete: ours.complete };
}

/** @param {number} share */
const percent = (share) => (100 * share).toFixed(2);

/** @param {Awaited<ReturnType<typeof compare>>} result @param {string} name */
function print({ rows, samples, complete }, name) {
  const visible = rows.filter(({ ours, theirs }) => Math.max(ours, theirs) >= VISIBLE);
  /** @param {typeof rows} some @param {(row: typeof rows[0]) => number} value */
  const sum = (some, value) => percent(some.reduce((total, row) => total + value(row), 0));
  /** @param {typeof rows[0]} row */
  const distance = ({ ours, theirs }) => Math.abs(ours - theirs);
  /** @param {typeof rows[0]} row */
  const rest = ({ folded, theirs }) => Math.abs(folded - theirs);
  /** @param {typeof rows[0]} row */
  const chance = (row) => row.chance;
  process.stdout.write(
    `\n${name}: ${samples[0]} and ${samples[1]} samples, ${percent(complete)} % complete stacks\n` +
      `  functions of 1 % or more: ${visible.length}, L1 ${sum(visible, distance)} points, ${sum(visible, rest)} as V8 sees (chance ${sum(visible, chance)})\n` +
      `  all functions:          ${rows.length}, L1 ${sum(rows, distance)} points, ${sum(rows, rest)} as V8 sees (chance ${sum(rows, chance)})\n` +
      `  spprof  as V8 sees  --cpu-prof  difference  function\n`,
  );
  for (const { key, ours, folded, theirs } of rows.slice(0, Number(values.top))) {
    const cells = [ours, folded, theirs, folded - theirs].map((share) => percent(share).padStart(8));
    process.stdout.write(`${cells.join('  ')}    ${key}\n`);
  }
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-agreement-'));
  const works = values.work.map((name) => ({ name, argv: [WORK, name, values.seconds] }));
  if (positionals.length > 0) works.splice(0, works.length, { name: positionals[0], argv: positionals });
  for (const node of values.node) {
    const framed = builtinsWithFrame(node);
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    for (const { name, argv } of works) {
      fs.rmSync(folder, { recursive: true, force: true });
      fs.mkdirSync(folder);
      print(await compare(node, argv, folder, framed), `${version} ${name}`);
    }
  }
  fs.rmSync(folder, { recursive: true });
}

main();
