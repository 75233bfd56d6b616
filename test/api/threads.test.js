'use strict';

/** `registerThread()`: threads that name themselves, and the scope in which they are sampled. */

const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const spprof = require('../../lib/index');

const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.js');

/** Functions of every thread here: `spin` uses CPU time, `collect` lives in garbage collections. */
const WORK = `
  const spprof = require(${JSON.stringify(LIBRARY)});
  const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  function spin(ms) { for (const end = performance.now() + ms; performance.now() < end; ) Math.sqrt(2); }
  function collect(ms) {
    let kept = [];
    for (const end = performance.now() + ms; performance.now() < end; ) {
      kept.push({ a: [kept.length] });
      if (kept.length > 50_000) kept = [];
    }
  }
`;

/** A worker that runs `code` and ends. @param {string} code */
async function runWorker(code) {
  const worker = new Worker(`${WORK}\n${code}`, { eval: true });
  /** @type {any[]} */
  const messages = [];
  worker.on('message', (message) => messages.push(message));
  const [status] = await once(worker, 'exit');
  expect(status).toBe(0);
  return messages;
}

/** @param {import('../../lib/index').Profile} profile @param {string} name */
const threadNamed = (profile, name) => profile.threads.find((thread) => thread.name === name);

/** CPU time of a thread with one of its functions somewhere on the stack. @param {import('../../lib/index').Profile} profile @param {string} thread @param {string} functionName */
function cpuWithin(profile, thread, functionName) {
  const id = threadNamed(profile, thread)?.id;
  let sum = 0;
  for (const { threadId, stackId, cpuNs } of profile.samples()) {
    const isIn = threadId === id && profile.stack(stackId).some((frame) => frame.functionName === functionName);
    if (isIn) sum += cpuNs;
  }
  return sum;
}

test('a worker under start() has its name, and its functions in its garbage collections', async () => {
  const session = spprof.start({ intervalUs: 1000 });
  const told = await runWorker(`
    const { name, isRecorded } = spprof.registerThread('gardener');
    require('node:worker_threads').parentPort.postMessage({ name, isRecorded });
    collect(600);
  `);
  const profile = await session.stop();
  expect(told).toEqual([{ name: 'gardener', isRecorded: true }]);
  expect(threadNamed(profile, 'gardener')).toMatchObject({ kind: 'worker' });
  const id = /** @type {any} */ (threadNamed(profile, 'gardener')).id;
  const inGc = [...profile.samples()].filter((sample) => sample.threadId === id && sample.isGc);
  const named = inGc.filter(({ stackId }) => profile.stack(stackId).some((frame) => frame.functionName === 'collect'));
  expect(inGc.length).toBeGreaterThan(3);
  expect(named.length / inGc.length).toBeGreaterThan(0.8);
});

test('a scope: no samples before it and behind it, and their CPU time is no other sample’s', async () => {
  const session = spprof.start({ intervalUs: 1000 });
  const [{ outsideMs }] = await runWorker(`
    function before() { spin(300); }
    function within() { spin(300); }
    function behind() { spin(300); }
    spprof.registerThread('scoped').unregister();
    before();
    const first = spprof.registerThread('scoped');
    try { within(); } finally { first[Symbol.dispose ?? Symbol.for('nodejs.dispose')](); }
    first.unregister(); // does nothing
    const began = performance.now();
    behind();
    require('node:worker_threads').parentPort.postMessage({ outsideMs: performance.now() - began });
  `);
  const { dropped } = session.stats();
  const profile = await session.stop();
  expect(outsideMs).toBeGreaterThan(290);
  expect(cpuWithin(profile, 'scoped', 'within')).toBeGreaterThan(20e6);
  expect(cpuWithin(profile, 'scoped', 'before')).toBe(0);
  expect(cpuWithin(profile, 'scoped', 'behind')).toBe(0);
  expect(threadNamed(profile, 'scoped')?.cpuNs).toBeLessThan(400e6);
  expect(dropped.not_selected).toBeGreaterThan(5);
});

test('the main thread stays the main thread, and keeps its name unless another is given', async () => {
  const session = spprof.start({ intervalUs: 1000 });
  const { name, isRecorded } = spprof.registerThread();
  for (const end = performance.now() + 200; performance.now() < end; ) Math.sqrt(2);
  const soFar = await session.snapshot();
  expect({ name, isRecorded }).toEqual({ name: 'main', isRecorded: true });
  const main = soFar.threads.find((thread) => thread.tid === process.pid);
  if (main !== undefined) expect(main).toMatchObject({ kind: 'main' }); // Jest may run this in a worker thread
  spprof.registerThread('conductor');
  for (const end = performance.now() + 200; performance.now() < end; ) Math.sqrt(2);
  const profile = await session.stop();
  expect(threadNamed(profile, 'conductor')?.kind).toBe(main?.kind ?? 'worker');
});

test('registering again and again voids nothing that is remembered by address', async () => {
  const session = spprof.start({ intervalUs: 1000 });
  await runWorker(`
    const { runInNewContext } = require('node:vm');
    for (let turn = 0; turn < 40; turn++) {
      spprof.registerThread('again');
      const work = runInNewContext('(function turn' + turn + '(spin) { return spin(15); })');
      work(spin);
      collect(5);
    }
  `);
  const profile = await session.stop();
  const id = threadNamed(profile, 'again')?.id;
  let spun = 0;
  for (const { threadId, stackId } of profile.samples()) {
    if (threadId !== id) continue;
    const names = profile.stack(stackId).map((frame) => frame.functionName);
    if (!names.includes('spin')) continue;
    spun++;
    expect(names.filter((name) => /^turn\d+$/.test(name))).toHaveLength(1);
  }
  expect(spun).toBeGreaterThan(10);
});

test('where nothing records it does nothing, and says so', () => {
  const registration = spprof.registerThread('idle');
  expect(registration.isRecorded).toBe(false);
  registration.unregister();
});

test('what is not a name is refused', () => {
  const register = /** @type {any} */ (spprof.registerThread);
  expect(() => register(7)).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_OPTION_TYPE' }));
  for (const name of ['', 'x'.repeat(32), 'ä'.repeat(16)])
    expect(() => register(name)).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_OPTION_RANGE' }));
});
