'use strict';

/** The events, batches and streams of a session: from real recordings, in this process or in one of their own. */

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const spprof = require('../../lib/index');
const { atLeast } = require('../helpers/engine');
const { cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

/** @typedef {import('../../lib/index').SampleBatch} SampleBatch */

const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.js');

/** Uses CPU time in a function of that name. @param {number} ms */
function streamedWork(ms) {
  const begin = process.cpuUsage();
  let sum = 0;
  for (;;) {
    for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    const { user, system } = process.cpuUsage(begin);
    if (user + system > ms * 1000) return sum;
  }
}

/** In turns of the event loop. @param {number} ms of CPU time */
async function workInTurns(ms) {
  for (let done = 0; done < ms; done += 20) {
    streamedWork(20);
    await new Promise(setImmediate);
  }
}

/** A program of its own that has `spprof`. @param {string} source */
function runProgram(source) {
  const program = `const spprof = require(${JSON.stringify(LIBRARY)});
    const work = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ) Math.sqrt(ms); };
    ${source}`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    ...{ encoding: 'utf8', timeout: 30_000, env: cleanEnvironment() },
  });
  return { status, signal, stdout, stderr };
}

/** @param {SampleBatch[]} batches */
function definitions(batches) {
  const stacks = new Map(batches.flatMap((batch) => batch.stacks.map((stack) => [stack.id, stack.frames])));
  const threads = new Map(batches.flatMap((batch) => batch.threads.map((thread) => [thread.id, thread])));
  return { stacks, threads };
}

describe('samples', () => {
  test('are the profile’s: all of them, with their times, stacks and threads', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    /** @type {SampleBatch[]} */
    const batches = [];
    session.on('samples', (batch) => batches.push(batch));
    await workInTurns(300);
    const profile = await session.stop();
    const count = batches.reduce((sum, batch) => sum + batch.times.length, 0);
    expect(count).toBe(profile.sampleCount);
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.reduce((sum, { cpuTimes }) => sum + cpuTimes.reduce((a, b) => a + b, 0), 0)).toBeCloseTo(
      profile.cpuNs,
      0,
    );
    const { stacks, threads } = definitions(batches);
    let own = 0;
    for (const batch of batches) {
      const { times, cpuTimes, wallTimes, stackIds, threadIds, states } = batch;
      const lengths = [times, cpuTimes, wallTimes, stackIds, threadIds, states].map((column) => column.length);
      expect(new Set(lengths).size).toBe(1);
      expect(batch.dropped).toBe(0);
      stackIds.forEach((id, i) => {
        if (stacks.get(id)?.some(({ functionName }) => functionName === 'streamedWork')) own += cpuTimes[i];
        expect(threads.has(threadIds[i])).toBe(true);
        expect(times[i]).toBeLessThanOrEqual(profile.durationNs / 1e6);
      });
    }
    const ofProfile = profile.functions.find(({ functionName }) => functionName === 'streamedWork');
    expect(own).toBeCloseTo(/** @type {any} */ (ofProfile).totalNs, 0);
    expect([...threads.values()].find(({ kind }) => kind === 'main')?.tid).toBe(process.pid);
  });

  test('a stack and a thread are told once, with the first batch that has them; frames are shared', async () => {
    const session = spprof.start({ intervalUs: 500 });
    /** @type {SampleBatch[]} */
    const batches = [];
    session.on('samples', (batch) => batches.push(batch));
    await workInTurns(300);
    await session.stop();
    const told = new Set();
    for (const { stacks, stackIds } of batches) {
      for (const { id } of stacks) {
        expect(told.has(id)).toBe(false);
        told.add(id);
      }
      for (const id of stackIds) expect(told.has(id)).toBe(true);
    }
    const threadIds = batches.flatMap((batch) => batch.threads.map(({ id }) => id));
    expect(new Set(threadIds).size).toBe(threadIds.length);
    const frames = batches.flatMap((batch) => batch.stacks.flatMap((stack) => stack.frames));
    expect(new Set(frames).size).toBeLessThan(frames.length);
    expect(Object.keys(frames[0])).toEqual(
      expect.arrayContaining(['functionName', 'url', 'line', 'column', 'kind', 'tier', 'inlined', 'module']),
    );
  });

  test('a listener that comes late gets them from the beginning', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    await workInTurns(100);
    let count = 0;
    session.on('samples', (batch) => {
      count += batch.times.length;
    });
    await workInTurns(100);
    const profile = await session.stop();
    expect(count).toBe(profile.sampleCount);
  });

  test('for await gives them until the end', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const stopped = workInTurns(200).then(() => session.stop());
    let count = 0;
    for await (const batch of session) count += batch.times.length + batch.dropped;
    expect(count).toBe((await stopped).sampleCount);
    for await (const batch of session) throw new Error(`a batch after the end: ${batch.times.length}`);
  });

  test('for await can be left, and the recording goes on', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const stopped = workInTurns(200).then(() => session.stop());
    for await (const batch of session) {
      expect(batch.times.length).toBeGreaterThan(0);
      break;
    }
    expect((await stopped).sampleCount).toBeGreaterThan(atLeast(100));
    expect(session.listenerCount('samples')).toBe(0);
  });

  test('stream() is a Readable in object mode', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const stopped = workInTurns(200).then(() => session.stop());
    let count = 0;
    const stream = session.stream();
    expect(stream.readableObjectMode).toBe(true);
    for await (const batch of stream) count += batch.times.length;
    expect(count).toBe((await stopped).sampleCount);
  });

  test('threads that have ended are named once each, when all their samples have been told', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const workers = new Set();
    const ended = new Set();
    let late = 0;
    session.on('samples', ({ threads, threadIds, endedThreads }) => {
      for (const { id, kind } of threads) if (kind === 'worker') workers.add(id);
      for (const id of threadIds) if (ended.has(id)) late++;
      for (const id of endedThreads) {
        expect(ended.has(id)).toBe(false);
        ended.add(id);
      }
    });
    const source = 'for (const end = performance.now() + 40; performance.now() < end; ) Math.sqrt(2);';
    for (let round = 0; round < 10; round++) {
      const turn = Array.from({ length: 2 }, () => new Worker(source, { eval: true }));
      await Promise.all(turn.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    }
    // What is left to be told comes with samples of this thread.
    for (const end = Date.now() + 20_000; Date.now() < end && ![...workers].every((id) => ended.has(id)); ) {
      await workInTurns(20);
    }
    await session.stop();
    expect(workers.size).toBeGreaterThan(0);
    expect([...workers].filter((id) => !ended.has(id))).toEqual([]);
    expect(late).toBe(0);
  });
});

describe('stats, warnings and the end', () => {
  test('stats come every second, and the final ones before the end', async () => {
    const session = spprof.start();
    /** @type {string[]} */
    const events = [];
    let last = null;
    session.on('stats', (stats) => {
      events.push('stats');
      last = stats;
    });
    const ended = new Promise((resolve) => session.once('end', resolve));
    await new Promise((resolve) => session.once('stats', resolve));
    const profile = await session.stop();
    expect(await ended).toEqual(profile.stats);
    expect(last).toEqual(profile.stats);
    expect(events.length).toBeGreaterThanOrEqual(2);
    expect(profile.stats.drained).toBe(profile.stats.written);
  });

  test('a duration ends it with an event, and stop() gives the profile', async () => {
    const session = spprof.start({ durationS: 0.1 });
    session.ref();
    const stats = await new Promise((resolve) => session.once('end', resolve));
    expect(stats.signals).toBeGreaterThanOrEqual(0);
    const profile = await session.stop();
    expect(profile.stats.shutdown?.reason).toBe('duration');
  });
});

describe('a session and its process', () => {
  test('keeps no process alive, listened to or not', () => {
    const run = runProgram("const s = spprof.start(); s.on('samples', () => {}); s.on('end', () => {}); work(100);");
    expect(run).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
  });

  test('keeps it alive after ref(), and no longer after unref()', () => {
    const run = runProgram(`const session = spprof.start().ref();
      session.on('stats', () => { process.stdout.write('told '); session.unref(); });`);
    expect(run).toEqual({ status: 0, signal: null, stdout: 'told ', stderr: '' });
  });

  test.each(['session', 'session.stream()'])(
    'for await (… of %s) ends with the session, and the program after it',
    (what) => {
      const run = runProgram(`(async () => {
      const session = spprof.start({ durationS: 0.2 });
      for await (const batch of ${what}) batch.times.length;
      console.log('ended');
      await session.stop();
      console.log('stopped');
    })();
    process.on('exit', (status) => console.log(status));`);
      expect(run).toEqual({ status: 0, signal: null, stdout: 'ended\nstopped\n0\n', stderr: '' });
    },
  );

  test('who waits for a batch keeps the program alive, unless it has called unref(), or wants no more', () => {
    const run = runProgram(`const session = spprof.start().unref();
      (async () => { for await (const batch of session) batch.times.length; })();
      setTimeout(() => session.ref(), 20);
      setTimeout(() => session.unref(), 40);
      session[Symbol.asyncIterator]().return();`);
    expect(run).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
  });

  test('a busy event loop holds up neither sampling nor draining', () => {
    const run = runProgram(`const session = spprof.start({ intervalUs: 500 });
      session.on('samples', () => {});
      const before = session.stats().drained;
      const begin = process.cpuUsage();
      work(1000);
      const { user } = process.cpuUsage(begin);
      const { drained, written } = session.stats();
      // Two a millisecond of CPU, where nobody else wants it.
      console.log(drained - before > (user * ${atLeast(1000)}) / 1e6, written - drained < 500);
      session.stop();`);
    expect(run).toEqual({ status: 0, signal: null, stdout: 'true true\n', stderr: '' });
  });

  test.each(['terminate', 'exit'])('a worker that ends by %s while it is told of samples harms nobody', async (how) => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const session = require(${JSON.stringify(LIBRARY)}).start({ intervalUs: 200 });
       session.ref();
       let batches = 0;
       session.on('samples', () => { if (++batches === 2) parentPort.postMessage('streaming'); });
       session.on('stats', () => {});
       setInterval(() => { for (let i = 0; i < 1e6; i++) Math.sqrt(i); }, 1);
       parentPort.on('message', () => process.exit(3));`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    if (how === 'terminate') await worker.terminate();
    else worker.postMessage('exit');
    expect(await exited).toBe(how === 'terminate' ? 1 : 3);
    // Who started it has gone, and nobody else can stop it but another process's end: the addon's own way.
    const { loadBinding } = require('../../lib/native/binding');
    expect(loadBinding().isRunning()).toBe(true);
    const recording = await loadBinding().stop();
    expect(recording.sampleTimes.length).toBeGreaterThan(0);
  });
});

test.each(['stop', 'snapshot'])('a worker that is terminated during its %s() harms nobody', (what) => {
  const run = runProgram(`
    const { Worker, isMainThread } = require('node:worker_threads');
    const { loadBinding } = require(${JSON.stringify(path.join(__dirname, '..', '..', 'lib', 'native', 'binding.js'))});
    async function round() {
      const worker = new Worker(\`
        const { parentPort } = require('node:worker_threads');
        const session = require(${JSON.stringify(LIBRARY)}).start({ intervalUs: 200 });
        for (const end = performance.now() + 50; performance.now() < end; );
        session.on('samples', () => {});
        session.${what}();
        parentPort.postMessage('under way');\`, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      await loadBinding().stop().catch((error) => {
        if (error.code !== 'ERR_SPPROF_NOT_RUNNING') throw error;
      });
    }
    (async () => {
      for (let i = 0; i < 10; i++) await round();
      console.log('alive');
    })();`);
  expect(run).toEqual({ status: 0, signal: null, stdout: 'alive\n', stderr: '' });
});

describe('beside the samples', () => {
  test('mark() puts named moments into the profile', async () => {
    const session = spprof.start();
    session.mark('first');
    await workInTurns(40);
    session.mark('second', { detail: { items: [1, 2] } });
    const { marks, threads } = await session.stop();
    const main = threads.find(({ kind }) => kind === 'main');
    expect(marks.map(({ name, detail }) => ({ name, detail }))).toEqual([
      { name: 'first', detail: undefined },
      { name: 'second', detail: { items: [1, 2] } },
    ]);
    expect(marks[1].timeMs - marks[0].timeMs).toBeGreaterThan(30);
    expect(marks[1].threadId).toBe(main?.id);
    expect(() => session.mark('')).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_OPTION_TYPE' }));
  });

  test('snapshot() is a profile so far, and the recording goes on', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    await workInTurns(100);
    const first = await session.snapshot();
    expect(first.functions.some(({ functionName }) => functionName === 'streamedWork')).toBe(true);
    await workInTurns(100);
    const second = await session.snapshot();
    expect(second.sampleCount).toBeGreaterThan(first.sampleCount);
    const profile = await session.stop();
    expect(profile.sampleCount).toBeGreaterThanOrEqual(second.sampleCount);
    expect(await session.snapshot()).toBe(profile);
  });

  test('profile() records while a function runs, and gives its result', async () => {
    const { result, profile } = await spprof.profile(async (session) => {
      await workInTurns(100);
      return session.stats().signals;
    });
    expect(result).toBeGreaterThan(0);
    expect(profile.functions.some(({ functionName }) => functionName === 'streamedWork')).toBe(true);
    const failing = spprof.profile(() => {
      throw new Error('its own');
    });
    await expect(failing).rejects.toThrow('its own');
    expect(spprof.isRecording()).toBe(false);
  });

  test('an AbortSignal stops it', async () => {
    const controller = new AbortController();
    const session = spprof.start({ abortSignal: controller.signal });
    const ended = new Promise((resolve) => session.once('end', resolve));
    controller.abort();
    await ended;
    await session.stop();
    expect(spprof.isRecording()).toBe(false);
    expect(() => spprof.start(/** @type {any} */ ({ abortSignal: 1 }))).toThrow(
      expect.objectContaining({ code: 'ERR_SPPROF_OPTION_TYPE' }),
    );
  });

  test('using and await using stop it', async () => {
    const session = spprof.start();
    await session[Symbol.asyncDispose]();
    expect(spprof.isRecording()).toBe(false);
    const other = spprof.start();
    other[Symbol.dispose]();
    await other.stop();
    expect(spprof.isRecording()).toBe(false);
  });
});

const folder = temporaryFolder();
test('a mark is in the log at once: it survives kill -9', async () => {
  const run = runProgram(`const session = spprof.start({ dir: ${JSON.stringify(folder)} });
    session.mark('last words');
    const { visits } = session; work(300);
    process.kill(process.pid, 'SIGKILL'); work(10000);`);
  expect(run.signal).toBe('SIGKILL');
  const [name] = require('node:fs').readdirSync(folder);
  const { marks } = await spprof.readProfile(path.join(folder, name));
  expect(marks).toMatchObject([{ name: 'last words' }]);
});

test.each(['samples', 'stats', 'end'])("what a listener of '%s' throws is an uncaught exception", (event) => {
  const { status, stderr } = runProgram(`
    const session = spprof.start({ intervalUs: 1000, durationS: 1.5 });
    session.on('${event}', () => { throw new Error('of the listener'); });
    setInterval(() => work(2), 4);`);
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('Error: of the listener') });
  expect(stderr).not.toContain('DEP0168');
});
