'use strict';

/** A thread that sets its name after it has been seen. */

const { evaluate } = require('../helpers/evaluate');

test('is shown with the name that it has at the end', () => {
  const { names, renamed } = evaluate(`
    const fs = require('node:fs');
    const tids = () => fs.readdirSync('/proc/self/task');
    const before = new Set(tids());
    const session = spprof.start();
    await new Promise((resolve) => require('node:crypto').pbkdf2('a', 'b', 1, 16, 'sha1', resolve));
    // The pool has started its threads for this.
    const pool = tids().filter((tid) => !before.has(tid));
    const deadline = Date.now() + 30_000;
    while (!pool.some((tid) => session.dump().includes(tid)) && Date.now() < deadline) await new Promise(setImmediate);
    for (const tid of pool) {
      try {
        fs.writeFileSync('/proc/self/task/' + tid + '/comm', 'late ' + tid);
      } catch {
        // It was not one of the pool, and has gone.
      }
    }
    const { threads } = await session.stop();
    print({ names: threads.map(({ name }) => name), renamed: pool.map((tid) => 'late ' + tid) });
  `);
  expect(names.filter((/** @type {string} */ name) => renamed.includes(name)).length).toBeGreaterThan(0);
});
