'use strict';

/** Fuzz targets in JavaScript, each in a process of its own that is watched: for a hang, for its memory, for its end. */

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../tools');
const { TARGETS } = require('../../test/fuzz/scripts/targets');

/** What one input may take: CPU time, which a busy machine does not make longer, and time in which something may wait. */
const DEADLINE_CPU_S = 20;
const DEADLINE_S = 300;
const MAX_HEAP_MB = 1024;
const MAX_RSS_BYTES = 2 * 2 ** 30;
const LOOK_MS = 250;
/** Of /proc's times: the same on all Linux machines (USER_HZ). */
const TICKS_A_SECOND = 100;

const FOLDER = path.join(ROOT, 'test/fuzz/scripts');

/** @typedef {import('./targets').Outcome} Outcome */

/** @param {string} folder */
function makeSeeds(folder) {
  fs.mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [path.join(FOLDER, 'make-seeds.js'), folder]);
  if (status !== 0) throw new Error(`the seeds could not be made: ${stderr}`);
}

/** @param {number} pid @returns {number} bytes; 0: it has ended */
function residentBytes(pid) {
  try {
    return Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}

/** @param {number} pid @returns {number} seconds; 0: it has ended */
function cpuSeconds(pid) {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
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
 * @param {{ seconds: number, seed: number, folder: string, seeds: string, findings: string }} settings
 * @returns {Promise<Outcome>}
 */
function runScriptTarget(name, { seconds, seed, folder, seeds, findings }) {
  const file = path.join(folder, `${name}.input`);
  fs.writeFileSync(file, '');
  const args = [`--max-old-space-size=${MAX_HEAP_MB}`, path.join(FOLDER, 'run-target.js'), name, seeds, file];
  const child = spawn(process.execPath, [...args, String(seed), String(seconds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, why] = ['', '', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr = `${stderr}${data}`.slice(-4000);
  });
  const timer = watch(Number(child.pid), file, (reason) => {
    why = reason;
    child.kill('SIGKILL');
  });
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearInterval(timer);
      const { executions = 0, problem = null } = stdout.startsWith('{') ? JSON.parse(stdout) : {};
      const ended = status === 0 ? null : why || problem || `ended with ${signal ?? status}: ${stderr}`;
      const found = ended === null ? [] : [keep(name, file, findings, ended)];
      resolve({ name, executions, seconds, edges: null, newEdges: null, findings: found });
    });
  });
}

/** @param {string} name @param {string} file @param {string} findings @param {string} problem */
function keep(name, file, findings, problem) {
  const kept = path.join(findings, `${name}-${Date.now()}`);
  fs.copyFileSync(file, kept);
  return { file: kept, problem, again: `node test/fuzz/scripts/run-target.js ${name} --input ${kept}` };
}

module.exports = { SCRIPT_TARGETS: Object.keys(TARGETS), makeSeeds, runScriptTarget };
