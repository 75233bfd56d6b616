'use strict';

/**
 * Attaches to a loop that V8 has compiled in place. `attach.js self`: the loop calls `start()` through a function passed in;
 * `attach.js worker`: a worker calls it, and the loop knows nothing. Prints how often main-thread samples whose leaf is
 * JavaScript name the loop's function.
 */

const { Worker, workerData } = require('node:worker_threads');
const { report } = require('./measure');

const BURN_MS = 1300;
const START_MS = 500;

/** @param {(ms: number) => void} look called now and then, with the time since the start */
function hotLoop(look) {
  const begin = performance.now();
  let s = 1;
  for (let i = 0, ms = 0; ms < BURN_MS; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    if (i % 4_000_000 === 0) {
      ms = performance.now() - begin;
      look(ms);
    }
  }
  return s;
}

/** @param {(ms: number) => void} look */
function callerOfLoop(look) {
  return hotLoop(look);
}

/** @param {import('../../../lib/index').Profile} profile @param {number} tid */
function leavesOf(profile, tid) {
  const thread = profile.threads.find((each) => each.tid === tid);
  const { nodes, samples } = profile.toCpuProfile(thread?.id);
  /** @type {Record<string, number>} */
  const leaves = {};
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  for (const id of samples) {
    const frame = /** @type {any} */ (byId.get(id));
    if (frame.url.startsWith('native:') || frame.url === '') continue;
    leaves[frame.functionName] = (leaves[frame.functionName] ?? 0) + 1;
  }
  return leaves;
}

async function attachBySelf() {
  const spprof = require('../../../lib/index');
  /** @type {import('../../../lib/index').Session | null} */
  let session = null;
  setTimeout(() => {}, 0);
  callerOfLoop((ms) => {
    if (ms > START_MS) session ??= spprof.start({ intervalUs: 1000 });
  });
  const profile = await /** @type {any} */ (session).stop();
  report(leavesOf(profile, process.pid));
}

async function attachByWorker() {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(__filename, { workerData: shared, argv: ['worker'] });
  const leaves = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await new Promise((resolve) => worker.once('online', resolve));
  Atomics.store(shared, 0, 1);
  Atomics.notify(shared, 0);
  callerOfLoop(() => {});
  Atomics.store(shared, 0, 2);
  Atomics.notify(shared, 0);
  report(await leaves);
}

/** The worker: waits for the loop to begin and be hot, attaches, waits for its end. @param {Int32Array} shared */
async function attach(shared) {
  const { parentPort } = require('node:worker_threads');
  const spprof = require('../../../lib/index');
  Atomics.wait(shared, 0, 0);
  Atomics.wait(shared, 0, 1, START_MS);
  const session = spprof.start({ intervalUs: 1000 });
  Atomics.wait(shared, 0, 1);
  parentPort?.postMessage(leavesOf(await session.stop(), process.pid));
}

if (workerData !== null) attach(workerData);
else if (process.argv[2] === 'worker') attachByWorker();
else attachBySelf();
