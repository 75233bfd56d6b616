'use strict';

// A program that starts others: each burns its share of CPU time in a function of its own name. `node family.js`: 300, 900 and 600 ms.

const { execFileSync } = require('node:child_process');
const { Worker, isMainThread } = require('node:worker_threads');

const NAMES = /** @type {Record<string, number>} */ ({ first: 300, second: 900, third: 600 });

/** Until this thread has used so much CPU time. @param {number} ms */
function burn(ms) {
  const begin = process.cpuUsage();
  let sum = 0;
  for (;;) {
    for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    const { user, system } = process.cpuUsage(begin);
    if (user + system > ms * 1000) return sum;
  }
}

const WORK = /** @type {Record<string, () => number>} */ ({
  first: function first() {
    return burn(NAMES.first);
  },
  second: function second() {
    return burn(NAMES.second);
  },
  third: function third() {
    return burn(NAMES.third);
  },
});

const [, , name] = process.argv;
if (!isMainThread) {
  burn(400);
} else if (name !== undefined) {
  WORK[name]();
  if (name === 'third') new Worker(__filename);
} else {
  for (const each of Object.keys(WORK)) execFileSync(process.execPath, [__filename, each], { stdio: 'inherit' });
}
