#!/usr/bin/env node
'use strict';
// Compares spprof with V8's own profiler on the same work: for the functions with the most self time, each one's share of the JavaScript
// self time in either. What native code and builtins do for a function counts as the function's, as V8's profiler has it; garbage
// collection and idle time count in neither. Several runs of each, interleaved, and their means, because two runs of one program differ by themselves.
//
//   node bench/agreement.js [--runs n] [--top n] [--node <path>] [--node-flag <flag>]... -- <script> [args...]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { readRecording } = require('../test/helpers/read-recording');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    top: { type: 'string', default: '10' },
    node: { type: 'string', default: process.execPath },
    'node-flag': { type: 'string', multiple: true, default: [] },
  },
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-agreement-'));
const cli = path.join(__dirname, '..', 'lib', 'cli', 'main.js');

function run(argv) {
  const result = spawnSync(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (result.error) throw result.error;
  return result;
}

/** Self time by function: Map from 'name url:line:column' to its share of all of them. */
function shares(times) {
  let sum = 0;
  for (const time of times.values()) sum += time;
  return new Map([...times].map(([key, time]) => [key, time / sum]));
}

function keyOf(name, url, line, column) {
  return `${name || '(anonymous)'} ${url.replace(/^file:\/\//, '')}:${line}:${column}`;
}

async function runSpprof(index) {
  const out = path.join(folder, `spprof-${index}.cpuprofile`);
  run([values.node, cli, '-q', '-o', out, values.node, ...values['node-flag'], ...positionals]);
  const recording = await readRecording(out.replace(/cpuprofile$/, 'spprof'));
  const main = recording.threads.find((thread) => thread.kind === 'main').id;
  const times = new Map();
  let complete = 0;
  let samples = 0;
  recording.sampleStacks.forEach((stack, i) => {
    samples++;
    if (!(recording.sampleStates[i] & 4)) complete++;
    if (recording.sampleThreads[i] !== main || recording.sampleStates[i] & 1) return;
    let node = stack;
    while (node !== 0 && recording.frames[recording.stackFrames[node]].kind !== 'js')
      node = recording.stackParents[node];
    if (node === 0) return;
    const f = recording.frames[recording.stackFrames[node]];
    const key = keyOf(f.functionName, f.url, f.line, f.column);
    times.set(key, (times.get(key) ?? 0) + recording.sampleCpuNs[i]);
  });
  return { shares: shares(times), complete: complete / samples };
}

function runCpuProf(index) {
  const out = path.join(folder, `v8-${index}`);
  run([values.node, '--cpu-prof', `--cpu-prof-dir=${out}`, ...values['node-flag'], ...positionals]);
  const profile = JSON.parse(fs.readFileSync(path.join(out, fs.readdirSync(out)[0]), 'utf8'));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = new Map();
  profile.samples.forEach((id, i) => {
    const { functionName, url, lineNumber, columnNumber } = nodes.get(id).callFrame;
    if (url === '' && /^\((root|program|idle|garbage collector)\)$/.test(functionName)) return;
    const key = keyOf(functionName, url, lineNumber + 1, columnNumber + 1);
    times.set(key, (times.get(key) ?? 0) + (profile.timeDeltas[i + 1] ?? 0));
  });
  return { shares: shares(times) };
}

function mean(runs, key) {
  return runs.reduce((sum, one) => sum + (one.shares.get(key) ?? 0), 0) / runs.length;
}

async function main() {
  const ours = [];
  const theirs = [];
  for (let i = 0; i < Number(values.runs); i++) {
    ours.push(await runSpprof(i));
    theirs.push(runCpuProf(i));
  }
  const keys = new Set([...ours, ...theirs].flatMap((one) => [...one.shares.keys()]));
  const rows = [...keys].map((key) => ({ key, ours: mean(ours, key), theirs: mean(theirs, key) }));
  const distance = rows.reduce((sum, row) => sum + Math.abs(row.ours - row.theirs), 0);
  const hottest = rows
    .sort((a, b) => Math.max(b.ours, b.theirs) - Math.max(a.ours, a.theirs))
    .slice(0, Number(values.top));
  console.log('  spprof  --cpu-prof  difference  function');
  for (const row of hottest) {
    const percent = (value) => `${(100 * value).toFixed(2).padStart(7)} %`;
    console.log(`${percent(row.ours)} ${percent(row.theirs)} ${percent(row.ours - row.theirs)}    ${row.key}`);
  }
  const worst = Math.max(...hottest.map((row) => Math.abs(row.ours - row.theirs)));
  console.log(`worst of the ${hottest.length} hottest: ${(100 * worst).toFixed(2)} points (target 2)`);
  console.log(`L1 distance over all functions: ${(100 * distance).toFixed(1)} points`);
  console.log(
    `complete stacks: ${ours.map((one) => `${(100 * one.complete).toFixed(2)} %`).join(', ')} (target 99.5 %)`,
  );
  fs.rmSync(folder, { recursive: true });
}

main();
