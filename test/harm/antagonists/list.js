'use strict';

/** The antagonists: program, V8 flags, and the exit status that each must have. */

const path = require('node:path');

const COLLECTING = ['--expose-gc', '--stress-compaction', '--gc-interval=300'];
const FLUSHING = ['--expose-gc', '--stress-flush-code'];
// A frame of the interpreter takes some 100 bytes; the main thread's stack is 8 MiB.
const DEEP = ['--stack-size=3900'];

/** @typedef {{ name: string, flags: string[], status: number }} Antagonist */

/** @type {Antagonist[]} */
const ANTAGONISTS = [
  { name: 'gc-storm', flags: COLLECTING, status: 41 },
  { name: 'code-churn', flags: FLUSHING, status: 42 },
  { name: 'deep-recursion', flags: DEEP, status: 43 },
  { name: 'worker-churn', flags: [], status: 44 },
  { name: 'deopt-churn', flags: [], status: 45 },
  { name: 'regexp', flags: [], status: 46 },
  { name: 'wasm', flags: [], status: 47 },
  { name: 'fork-exec', flags: [], status: 48 },
  { name: 'foreign-sigprof', flags: [], status: 49 },
  { name: 'own-signals', flags: [], status: 50 },
  { name: 'native-threads', flags: [], status: 51 },
  { name: 'dlopen-loop', flags: [], status: 52 },
  { name: 'foreign-sigsegv', flags: [], status: 54 },
  { name: 'combined', flags: ['--expose-gc', '--stack-size=3900'], status: 53 },
];

/** @param {string} name */
const programOf = (name) => path.join(__dirname, `${name}.js`);

module.exports = { ANTAGONISTS, programOf };
