'use strict';

/** Fuzz targets in JavaScript, each in a process of its own that is watched: for a hang, for its memory, for its end. */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { ROOT } = require('../tools');
const { TARGETS } = require('../../test/fuzz/scripts/targets');
const { LOOK_MS, cpuSeconds, residentBytes } = require('./process-use');
const { begin, isQuiet, noGrowth, note } = require('./saturation');

/** What one input may take: CPU time, which a busy machine does not make longer, and time in which something may wait. */
const DEADLINE_CPU_S = 20;
const DEADLINE_S = 300;
const MAX_HEAP_MB = 1024;
const MAX_RSS_BYTES = 2 * 2 ** 30;

const FOLDER = path.join(ROOT, 'test/fuzz/scripts');

/** @param {string} folder */
function makeSeeds(folder) {
  fs.mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [path.join(FOLDER, 'make-seeds.js'), folder]);
  if (status !== 0) throw new Error(`the seeds could not be made: ${stderr}`);
}

/** Kills the process when an input takes too long or too much. @param {number} pid @param {string} file the input's @param {(why: string) => void} end */
function watch(pid, file, end) {
  let written = 0;
  let since = { time: Date.now(), cpu: 0 };
  return setInterval(() => {
    const { mtimeMs } = fs.statSync(file);
    const now = { time: Date.now(), cpu: cpuSeconds(pid) };
    if (mtimeMs !== written) {
      written = mtimeMs;
      since = now;
    }
    if (now.cpu - since.cpu > DEADLINE_CPU_S) end(`no answer within ${DEADLINE_CPU_S} s of CPU time`);
    else if (now.time - since.time > DEADLINE_S * 1000) end(`no answer within ${DEADLINE_S} s`);
    else if (residentBytes(pid) > MAX_RSS_BYTES) end(`more than ${MAX_RSS_BYTES / 2 ** 20} MiB of memory`);
  }, LOOK_MS);
}

/**
 * @param {string} name
 * @param {import('./targets').RoundSettings} settings
 * @returns {Promise<import('./saturation').Round>}
 */
async function runScriptTarget(name, { seconds, seed, quiet, folders }) {
  const file = path.join(folders.seeds, `${name}.input`); // A folder that is made anew in each run.
  fs.writeFileSync(file, '');
  const args = [`--max-old-space-size=${MAX_HEAP_MB}`, path.join(FOLDER, 'run-target.js'), name, folders.seeds, file];
  const child = spawn(process.execPath, [...args, String(seed), String(seconds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const growth = noGrowth();
  /** @type {{ executions: number, seconds: number, reached: number, problem?: string | null }} */
  let last = { executions: 0, seconds: 0, reached: 0 };
  let [stderr, why] = ['', ''];
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    last = JSON.parse(line);
    if (last.executions === 0) begin(growth, last.reached);
    note(growth, last.reached, last.executions, last.seconds);
    if (quiet !== null && isQuiet(growth, last.seconds, quiet)) child.kill('SIGTERM');
  });
  child.stderr.on('data', (data) => {
    stderr = `${stderr}${data}`.slice(-4000);
  });
  const timer = watch(Number(child.pid), file, (reason) => {
    why = reason;
    child.kill('SIGKILL');
  });
  const [status, signal] = await once(child, 'close');
  clearInterval(timer);
  const ended = status === 0 ? null : why || last.problem || `ended with ${signal ?? status}: ${stderr}`;
  const found = ended === null ? [] : [keep(name, file, folders.findings, ended)];
  return { executions: last.executions, seconds: last.seconds, growth, findings: found };
}

/** @param {string} name @param {string} file @param {string} findings @param {string} problem */
function keep(name, file, findings, problem) {
  const kept = path.join(findings, `${name}-${Date.now()}`);
  fs.copyFileSync(file, kept);
  return { file: kept, problem, again: `node test/fuzz/scripts/run-target.js ${name} --input ${kept}` };
}

module.exports = { SCRIPT_TARGETS: Object.keys(TARGETS), makeSeeds, runScriptTarget };
