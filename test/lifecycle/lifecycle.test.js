'use strict';

/**
 * A session's methods in each of its states; two users of one process; what a thousand recordings leave behind; what
 * stopping costs the JavaScript thread.
 */

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { Worker } = require('node:worker_threads');
const spprof = require('../../lib/index');

const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.js');

// Holds are measured, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

/** @param {number} ms */
function burn(ms) {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) sum += Math.sqrt(sum + 1);
  return sum;
}

/** What a method gives, as a word. @param {() => unknown} method */
async function outcome(method) {
  try {
    const value = await method();
    if (value === undefined) return 'nothing';
    if (typeof value === 'string') return 'text';
    return /** @type {any} */ (value).constructor.name;
  } catch (error) {
    return /** @type {any} */ (error).code;
  }
}

/** @type {Record<string, (session: import('../../lib/index').Session) => unknown>} */
const METHODS = {
  stats: (session) => session.stats(),
  dump: (session) => session.dump(),
  mark: (session) => session.mark('here'),
  snapshot: (session) => session.snapshot(),
  on: (session) => session.on('samples', () => {}),
  ref: (session) => session.ref().unref(),
  iterate: (session) => session[Symbol.asyncIterator](),
  stop: (session) => session.stop(),
};

const OUTCOMES = {
  //          running    ended by itself   stopping     stopped
  stats: ['Object', 'Object', 'Object', 'Object'],
  dump: ['text', 'text', 'text', 'ERR_SPPROF_NOT_RUNNING'],
  mark: ['nothing', 'nothing', 'nothing', 'nothing'],
  snapshot: ['Profile', 'Profile', 'Profile', 'Profile'],
  on: ['Session', 'Session', 'Session', 'Session'],
  ref: ['Session', 'Session', 'Session', 'Session'],
  iterate: ['BatchQueue', 'BatchQueue', 'BatchQueue', 'BatchQueue'],
  stop: ['Profile', 'Profile', 'Profile', 'Profile'],
};

describe.each(Object.entries(OUTCOMES))('%s()', (name, [running, ended, stopping, stopped]) => {
  const call = METHODS[name];

  test(`while it runs: ${running}`, async () => {
    const session = spprof.start();
    expect(await outcome(() => call(session))).toBe(running);
    await session.stop();
  });

  test(`when its duration is over: ${ended}`, async () => {
    const session = spprof.start({ durationS: 0.001 }).ref();
    await new Promise((resolve) => session.once('end', resolve));
    expect(await outcome(() => call(session))).toBe(ended);
    await session.stop();
  });

  test(`while it stops: ${stopping}`, async () => {
    const session = spprof.start();
    const finished = session.stop();
    const result = outcome(() => call(session));
    await finished;
    expect([stopping, stopped]).toContain(await result);
  });

  test(`after it has stopped: ${stopped}`, async () => {
    const session = spprof.start();
    await session.stop();
    expect(await outcome(() => call(session))).toBe(stopped);
  });
});

test('stop() gives the same promise, and the same profile, every time', async () => {
  const session = spprof.start();
  const first = session.stop();
  expect(session.stop()).toBe(first);
  expect(await session.stop()).toBe(await first);
});

/** As Jest or vitest load it again for another test file. @returns {typeof spprof} */
function otherCopy() {
  jest.resetModules();
  return require('../../lib/index');
}

describe('one session a process', () => {
  test('a second start() says where the first was, from another copy of the library too', async () => {
    const session = spprof.start();
    const other = otherCopy();
    expect(other).not.toBe(spprof);
    const place = new RegExp(`^already recording: started at .*${path.basename(__filename)}`);
    for (const copy of [spprof, other]) {
      expect(() => copy.start()).toThrow(
        expect.objectContaining({ code: 'ERR_SPPROF_RUNNING', message: expect.stringMatching(place) }),
      );
    }
    await session.stop();
  });

  test('and from a worker, which may begin one of its own afterwards', async () => {
    const source = `const { parentPort } = require('node:worker_threads');
      const spprof = require(${JSON.stringify(LIBRARY)});
      const tell = () => {
        try { return spprof.start().stop().then((profile) => profile.sampleCount >= 0); } catch (error) { return error.message; }
      };
      parentPort.on('message', async () => parentPort.postMessage(await tell()));`;
    const worker = new Worker(source, { eval: true });
    const ask = () =>
      new Promise((resolve) => {
        worker.once('message', resolve);
        worker.postMessage('');
      });
    const session = spprof.start();
    expect(await ask()).toMatch(/^already recording: started at .*lifecycle\.test\.js/);
    await session.stop();
    expect(await ask()).toBe(true);
    await worker.terminate();
  });
});

/** Threads, file descriptors, memory and handles of this process. */
function holdings() {
  return {
    threads: fs.readdirSync('/proc/self/task').length,
    fds: fs.readdirSync('/proc/self/fd').length,
    timers: fs
      .readFileSync('/proc/self/timers', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('ID')).length,
    residentMb: process.memoryUsage.rss() / 2 ** 20,
    resources: process.getActiveResourcesInfo().length,
  };
}

// SPPROF_TEST_ROUNDS: how many (200; 1000 for the proof).
const ROUNDS = Number(process.env.SPPROF_TEST_ROUNDS ?? 200);
test(`${ROUNDS} recordings, listened to, leave nothing behind`, async () => {
  const round = async () => {
    const session = spprof.start({ intervalUs: 500 });
    session.on('samples', () => {});
    burn(2);
    await session.stop();
  };
  for (let i = 0; i < ROUNDS / 10; i++) await round();
  const before = holdings();
  for (let i = 0; i < ROUNDS; i++) await round();
  const after = holdings();
  // The last recording's files and thread may be going just now, and Jest has its own; a leak would be one a round.
  const more = Object.entries(after).map(([what, count]) => [what, count - /** @type {any} */ (before)[what]]);
  const allowed = { threads: 1, fds: 4, timers: 2, residentMb: 40, resources: 2 };
  expect(more.filter(([what, count]) => count > /** @type {any} */ (allowed)[what])).toEqual([]);
}, 600_000);

test('stop() holds up the JavaScript thread for 20 ms at most', async () => {
  const took = [];
  for (let i = 0; i < 5; i++) {
    const session = spprof.start({ intervalUs: 500 });
    burn(300);
    const before = performance.eventLoopUtilization();
    await session.stop();
    took.push(performance.eventLoopUtilization(before).active);
  }
  took.sort((a, b) => a - b);
  expect(took[2]).toBeLessThan(20);
});
