'use strict';

/** What the programs of ground truth measure themselves with: the kernel's CPU clock of each thread, read by their own addon. */

const fs = require('node:fs');
const { loadFixture } = require('../../fixtures/native-addon/build');

const fixture = loadFixture();

/** CPU time that the calling thread has used, or another of this process. @param {number} [tid] @returns {number} ns */
function cpuOf(tid = 0) {
  return fixture.threadCpuNs(tid);
}

/** CPU time of all threads but a sampler's own, by thread id. @returns {Record<string, number>} ns */
function cpuOfThreads() {
  const tids = fs.readdirSync('/proc/self/task').filter((tid) => !nameOf(tid).startsWith('spprof'));
  return Object.fromEntries(tids.map((tid) => [tid, cpuOf(Number(tid))]));
}

/** @param {string} tid */
function nameOf(tid) {
  try {
    return fs.readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trim();
  } catch {
    return ''; // ended meanwhile
  }
}

/** Sums of CPU time by part, of the calling thread. */
class Parts {
  /** @type {Record<string, number>} */
  sums = {};

  /** @template T @param {string} part @param {() => T} work @returns {T} */
  measure(part, work) {
    const begin = cpuOf();
    const result = work();
    this.sums[part] = (this.sums[part] ?? 0) + cpuOf() - begin;
    return result;
  }
}

/** Prints the truth: one line of JSON. @param {unknown} truth */
function report(truth) {
  fs.writeSync(1, `${JSON.stringify(truth)}\n`);
}

module.exports = { fixture, cpuOf, cpuOfThreads, Parts, report };
