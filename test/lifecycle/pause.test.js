'use strict';

/** `pause()`, `resume()` and `setInterval()` of a session, in processes of their own. */

const { evaluate } = require('../helpers/evaluate');

// Shares are estimates, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

test('what runs in a pause is not in the profile', () => {
  const result = evaluate(`
    function workBefore() { return hotLoop(200); }
    function workInPause() { return hotLoop(200); }
    function workAfter() { return hotLoop(200); }
    const session = spprof.start({ intervalUs: 1000 });
    workBefore();
    const changes = [session.pause(), session.pause()];
    workInPause();
    changes.push(session.resume(), session.resume());
    workAfter();
    const { functions } = await session.stop();
    const total = Object.fromEntries(functions.map(({ functionName, totalNs }) => [functionName, totalNs / 1e6]));
    print({ changes, total });
  `);
  expect(result.changes).toEqual([true, false, true, false]);
  expect(result.total.workInPause ?? 0).toBeLessThan(2);
  expect(result.total.workBefore).toBeGreaterThan(150);
  expect(result.total.workAfter).toBeGreaterThan(150);
});

test('a worker that begins in a pause is sampled from its end on', () => {
  const result = evaluate(`
    const { Worker } = require('node:worker_threads');
    const session = spprof.start({ intervalUs: 1000 });
    session.pause();
    const code = \`
      const { parentPort } = require('node:worker_threads');
      function spin(ms) { for (const end = performance.now() + ms; performance.now() < end; ); }
      function inPause() { spin(200); }
      function afterPause() { spin(400); }
      inPause();
      parentPort.once('message', afterPause).postMessage('ready');\`;
    const worker = new Worker(code, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    session.resume();
    worker.postMessage('go');
    await new Promise((resolve) => worker.once('exit', resolve));
    const { functions } = await session.stop();
    const total = Object.fromEntries(functions.map(({ functionName, totalNs }) => [functionName, totalNs / 1e6]));
    print(total);
  `);
  expect(result.inPause ?? 0).toBeLessThan(2);
  expect(result.afterPause).toBeGreaterThan(50);
});

test('stop() in a pause keeps what was sampled before it', () => {
  const result = evaluate(`
    const session = spprof.start({ intervalUs: 1000 });
    hotLoop(200);
    session.pause();
    hotLoop(100);
    const profile = await session.stop();
    const codes = ['pause', 'resume'].map((verb) => codeOf(() => session[verb]())[0]);
    print({ cpuMs: profile.cpuNs / 1e6, codes });
  `);
  expect(result.cpuMs).toBeGreaterThan(150);
  expect(result.cpuMs).toBeLessThan(280);
  expect(result.codes).toEqual(['ERR_SPPROF_NOT_RUNNING', 'ERR_SPPROF_NOT_RUNNING']);
});

test('setInterval() changes the rate of all threads, and says what is wrong with an interval', () => {
  const result = evaluate(`
    const session = spprof.start({ intervalUs: 10_000_000, timer: 'hires' });
    hotLoop(100);
    const slow = session.stats().written;
    session.setInterval(1000);
    hotLoop(300);
    const fast = session.stats().written;
    const refused = [9, 10_000_001, NaN, '1ms', undefined].map((us) => codeOf(() => session.setInterval(us)));
    await session.stop();
    const after = codeOf(() => session.setInterval(1000))[0];
    print({ slow, fast, refused, after });
  `);
  expect(result.slow).toBeLessThan(5);
  expect(result.fast - result.slow).toBeGreaterThan(150);
  expect(result.refused.map(([code]) => code)).toEqual([
    ...['ERR_SPPROF_OPTION_RANGE', 'ERR_SPPROF_OPTION_RANGE', 'ERR_SPPROF_OPTION_RANGE'],
    ...['ERR_SPPROF_OPTION_TYPE', 'ERR_SPPROF_OPTION_TYPE'],
  ]);
  expect(result.refused[0][1]).toBe("intervalUs must be 'auto' or a time from 10 µs to 10 s, not 9");
  expect(result.after).toBe('ERR_SPPROF_NOT_RUNNING');
});
