'use strict';

/**
 * CPU time against the kernel's clocks: `accounting.js <timer> <alone|shared>`. The main thread burns with pauses between
 * (timers), a worker with `Atomics.wait` between; `shared`: with a busy process for each processor. Prints, for each thread,
 * the clock's and the samples' CPU time, and of the main thread the self time in its `.cpuprofile`.
 */

const { spawn } = require('node:child_process');
const os = require('node:os');
const { Worker } = require('node:worker_threads');
const { selfTimes } = require('../../helpers/read-cpuprofile');
const { cpuOf, cpuOfThreads, report } = require('./measure');

const [timer, company] = process.argv.slice(2);
const PAUSES = 5;
const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { cpuOf, fixture } = require(workerData.measure);
  function burnInWorker(ns) {
    const until = cpuOf() + ns;
    let s = 1;
    while (cpuOf() < until) for (let i = 0; i < 10000000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s;
  }
  parentPort.postMessage(fixture.threadId());
  const cell = new Int32Array(workerData.shared);
  Atomics.wait(cell, 0, 0);
  for (let i = 0; i < ${PAUSES}; i++) {
    burnInWorker(400e6);
    Atomics.wait(cell, 1, 0, 50);
  }
  parentPort.postMessage('done');
  parentPort.once('message', () => {});`;

/**
 * Looks at the clock seldom: asking for the CPU clock lets the kernel end the time slice there and then.
 * @param {number} ns
 */
function burnInMain(ns) {
  const until = cpuOf() + ns;
  let s = 1;
  while (cpuOf() < until) for (let i = 0; i < 10_000_000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

/** @param {Worker} worker @returns {Promise<any>} */
const messageOf = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));

async function run() {
  const shared = new SharedArrayBuffer(8);
  const worker = new Worker(WORKER, { eval: true, workerData: { shared, measure: require.resolve('./measure') } });
  const workerTid = await messageOf(worker);
  const competitors =
    company === 'shared' ? os.cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })) : [];

  const session = require('../../../lib/index').start({ timer: /** @type {any} */ (timer), intervalUs: 1000 });
  const before = cpuOfThreads();
  const done = messageOf(worker);
  Atomics.store(new Int32Array(shared), 0, 1);
  Atomics.notify(new Int32Array(shared), 0);
  let burnt = 0;
  for (let i = 0; i < PAUSES; i++) {
    const begin = cpuOf();
    burnInMain(400e6);
    burnt += cpuOf() - begin;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await done;
  const after = cpuOfThreads();
  const profile = await session.stop();
  for (const each of competitors) each.kill('SIGKILL');
  worker.postMessage('end');

  const threads = [process.pid, workerTid].map((tid) => {
    const clock = after[tid] - before[tid];
    const samples = profile.threads.find((each) => each.tid === tid)?.cpuNs ?? 0;
    return { tid, clock, samples };
  });
  const cpuProfile = profile.toCpuProfile();
  const self = selfTimes(cpuProfile);
  report({
    threads,
    burnt,
    self: (self.get('burnInMain') ?? 0) * 1000,
    idle: (self.get('(idle)') ?? 0) * 1000,
    wall: (cpuProfile.endTime - cpuProfile.startTime) * 1000,
    addonNs: 0,
  });
}

run();
