'use strict';

/** A copy of the tree in a temporary folder, in which mutations are made, built and tested. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');
const { placeOf } = require('./mutations');

/** @typedef {import('./mutations').Mutation} Mutation */
/** `broken`: it could not be built. @typedef {{ status: 'passed' | 'failed' | 'broken', output: string }} Run */

const TEST_TIMEOUT_MS = 300_000;
/** Of what a failed build has printed. */
const SHOWN_LINES = 20;

/** @param {string} text */
const lastLines = (text) => text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');

class Copy {
  /** Where it is. */
  folder;
  #jobs;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  /** Presets that have been configured. @type {Set<string>} */
  #configured = new Set();
  /** By test: what is wrong with it without a mutation. @type {Map<string, string | null>} */
  #problems = new Map();
  /** @type {(signal: NodeJS.Signals) => void} */
  #leave = (signal) => {
    this.#child?.kill('SIGKILL');
    this.remove();
    process.kill(process.pid, signal);
  };

  /** @param {number} jobs of the compiler */
  constructor(jobs) {
    this.#jobs = jobs;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-mutate-'));
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, this.#leave);
    for (const file of projectFiles('CMakeLists.txt', 'CMakePresets.json', 'native', 'test/native', 'test/fixtures')) {
      const to = path.join(this.folder, file);
      fs.mkdirSync(path.dirname(to), { recursive: true });
      fs.copyFileSync(path.join(ROOT, file), to);
    }
  }

  remove() {
    for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, this.#leave);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Why the mutation's test says nothing: it fails, or does not run, without the mutation too. Null: it passes.
   * @param {Mutation} mutation
   * @returns {Promise<string | null>}
   */
  async problemOf(mutation) {
    const key = [mutation.preset, mutation.test, mutation.cases].join(' ');
    const known = this.#problems.get(key);
    if (known !== undefined) return known;
    const { status, output } = await this.#buildAndRun(mutation, mutation.test);
    const hasPassed = status === 'passed' && /\[ {2}PASSED {2}\] [1-9]/.test(output);
    const problem = hasPassed ? null : `without the mutation no test passes:\n${lastLines(output)}`;
    this.#problems.set(key, problem);
    return problem;
  }

  /** @param {Mutation} mutation whose problemOf is null @returns {Promise<Run>} */
  async runMutated(mutation) {
    const file = path.join(this.folder, mutation.file);
    const testFile = path.join(this.folder, 'test', 'native', `${mutation.test}.cc`);
    const { text, mutated } = placeOf(this.folder, mutation);
    const { mtime } = fs.statSync(file);
    const touch = () => fs.utimesSync(testFile, new Date(), new Date());
    fs.writeFileSync(file, mutated);
    try {
      if (!mutation.isInTest) return await this.#buildAndRun(mutation, mutation.test);
      touch();
      return await this.#buildAndRun(mutation, `${mutation.test}/fast`); // without what it links
    } finally {
      fs.writeFileSync(file, text);
      if (mutation.isInTest) {
        fs.utimesSync(file, mtime, mtime); // nothing else is to be built anew
        touch();
      }
    }
  }

  /** @param {Mutation} mutation @param {string} target of make @returns {Promise<Run>} */
  async #buildAndRun({ preset = 'dev', test, cases }, target) {
    if (!this.#configured.has(preset)) {
      const configured = await this.#run('cmake', ['--preset', preset, '-G', 'Unix Makefiles']);
      if (configured.status !== 0) return { status: 'broken', output: lastLines(configured.output) };
      this.#configured.add(preset);
    }
    const parallel = String(this.#jobs);
    const built = await this.#run('cmake', ['--build', '--preset', preset, '--target', target, '--parallel', parallel]);
    if (built.status !== 0) return { status: 'broken', output: lastLines(built.output) };
    const program = path.join(this.folder, 'build', preset, test);
    const { status, output } = await this.#run(program, [`--gtest_filter=${cases}`], TEST_TIMEOUT_MS);
    return { status: status === 0 ? 'passed' : 'failed', output };
  }

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {number} [timeout] in milliseconds
   * @returns {Promise<{ status: number, output: string }>} `status` 1: a signal has ended it
   */
  #run(command, args, timeout) {
    // What has been compiled in another copy is found again: paths inside of it are not part of the key.
    const env = { ...process.env, CCACHE_BASEDIR: this.folder, CCACHE_NOHASHDIR: '1' };
    const child = spawn(command, args, {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.#child = null;
        resolve({ status: code ?? 1, output });
      });
    });
  }
}

module.exports = { Copy };
