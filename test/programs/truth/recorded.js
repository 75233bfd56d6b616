'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { readRecording } = require('../../helpers/read-recording');
const { CLI, cleanEnvironment } = require('../../helpers/run-cli');

/** Runs programs of ground truth, and asks their recordings. */

/** @param {string} name */
const programOf = (name) => path.join(__dirname, `${name}.js`);

/** @param {string[]} args @param {string} cwd @param {NodeJS.ProcessEnv} [env] @returns {any} what the program printed */
function runJson(args, cwd, env = {}) {
  const run = spawnSync(process.execPath, args, {
    ...{ cwd, encoding: 'utf8', timeout: 50_000 },
    env: { ...cleanEnvironment(), ...env },
  });
  if (run.status !== 0) throw new Error(`${args.join(' ')}: ${run.status} ${run.signal}\n${run.stdout}${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** A program that attaches itself, or none. @param {string} name @param {string[]} args */
function runProgram(name, ...args) {
  return runJson([programOf(name), ...args], os.tmpdir());
}

/**
 * Under the command `spprof`.
 * @param {string} name
 * @param {{ options?: string[], flags?: string[], args?: string[], env?: NodeJS.ProcessEnv }} [settings] for spprof, for
 *   node, for the program, for all
 */
async function recordProgram(name, { options = [], flags = [], args = [], env = {} } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof truth '));
  try {
    const base = path.basename(name);
    const outputs = ['-q', '--view', 'full', '-o', `${base}.cpuprofile`, '-o', `${base}.spprof`];
    const command = ['--', process.execPath, ...flags, programOf(name), ...args];
    const truth = runJson([CLI, ...outputs, ...options, ...command], folder, env);
    const recording = await readRecording(path.join(folder, `${base}.spprof`));
    const profiles = fs.readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
    const readJson = (/** @type {string} */ file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
    return { truth, recording, profiles: Object.fromEntries(profiles.map((file) => [file, readJson(file)])) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * @typedef {import('../../../binding').NativeRecording} Recording
 * @typedef {import('../../../binding').NativeFrame} Frame
 */

/** The frames of a stack, leaf first. @param {Recording} recording @param {number} stack @returns {Frame[]} */
function framesOf({ frames, stackFrames, stackParents }, stack) {
  const found = [];
  for (let at = stack; at !== 0; at = stackParents[at]) found.push(frames[stackFrames[at]]);
  return found;
}

/**
 * CPU time of the samples of one kernel thread whose stack is as asked for, nanoseconds.
 * @param {Recording} recording
 * @param {number} tid
 * @param {(stack: Frame[], state: number) => boolean} [isAsked]
 */
function cpuWhere(recording, tid, isAsked = () => true) {
  const thread = recording.threads.find((each) => each.tid === tid);
  let sum = 0;
  recording.sampleThreads.forEach((id, i) => {
    if (id !== thread?.id) return;
    if (isAsked(framesOf(recording, recording.sampleStacks[i]), recording.sampleStates[i]))
      sum += recording.sampleCpuNs[i];
  });
  return sum;
}

/**
 * The samples of one kernel thread.
 * @param {Recording} recording
 * @param {number} tid
 * @returns {{ names: string[], weight: number }[]} of each the functions, leaf first, and the CPU time in nanoseconds
 */
function weighedSamples(recording, tid) {
  const thread = recording.threads.find((each) => each.tid === tid);
  /** @type {{ names: string[], weight: number }[]} */
  const samples = [];
  recording.sampleThreads.forEach((id, i) => {
    if (id !== thread?.id) return;
    const names = framesOf(recording, recording.sampleStacks[i]).map(({ functionName }) => functionName);
    samples.push({ names, weight: recording.sampleCpuNs[i] });
  });
  return samples;
}

module.exports = { runProgram, recordProgram, cpuWhere, weighedSamples };
