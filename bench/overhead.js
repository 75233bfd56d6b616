'use strict';

/**
 * The overhead of a whole recording, in CPU time and in wall time: the same work without a profiler, under spprof, and
 * under node --cpu-prof, interleaved in random order, so that what drifts on the machine falls on all. `[rounds]`: 15.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT } = require('../scripts/tools');

const ROUNDS = Number(process.argv[2] ?? 15);
const WORK = path.join(ROOT, 'examples', 'typecheck.js');
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {string} folder @returns {Record<string, string[]>} arguments to node */
function variantsIn(folder) {
  const output = path.join(folder, 'p.cpuprofile');
  return {
    none: [WORK],
    'spprof (default)': [CLI, '-q', '-o', output, WORK],
    'spprof --rate 1000': [CLI, '-q', '--rate', '1000', '-o', output, WORK],
    'node --cpu-prof': ['--cpu-prof', `--cpu-prof-dir=${folder}`, WORK],
  };
}

/** Wall time of one run, ms; the work prints its own CPU time, ms. @param {string[]} args */
function measure(args) {
  const begin = performance.now();
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const wall = performance.now() - begin;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return { wall, cpu: Number(/cpu ([\d.]+) ms/.exec(stdout)?.[1]) };
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-bench-'));
const variants = variantsIn(folder);
/** @type {Record<string, { wall: number, cpu: number }[]>} */
const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  const order = Object.keys(variants).sort(() => Math.random() - 0.5);
  for (const name of order) results[name].push(measure(variants[name]));
}
fs.rmSync(folder, { recursive: true });

process.stdout.write(`\n${ROUNDS} rounds, medians of differences within a round\n`);
process.stdout.write(`${'variant'.padEnd(20)}${'CPU of the work'.padStart(22)}${'wall, whole command'.padStart(24)}\n`);
for (const [name, runs] of Object.entries(results)) {
  const columns = /** @type {const} */ (['cpu', 'wall']).map((key) => {
    const base = median(results.none.map((each) => each[key]));
    const more = median(runs.map((each, i) => each[key] - results.none[i][key]));
    return `${median(runs.map((each) => each[key])).toFixed(0)} ms (${more < 0 ? '' : '+'}${((100 * more) / base).toFixed(1)} %)`;
  });
  process.stdout.write(`${name.padEnd(20)}${columns[0].padStart(22)}${columns[1].padStart(24)}\n`);
}
