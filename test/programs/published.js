'use strict';

/**
 * Records itself at 1 kHz into the folder `published.js <dir> <file>`, works, and notes in the file, in place, how many samples it
 * has published so far. It never ends.
 */

const fs = require('node:fs');
const spprof = require('../..');

const [dir, file] = process.argv.slice(2);
const session = spprof.start({ dir, intervalUs: 1000 });
const noted = fs.openSync(file, 'w');
let sum = 0;
for (;;) {
  for (let i = 0; i < 2e5; i++) sum += Math.sqrt(i);
  fs.writeSync(noted, String(session.stats().written).padStart(12), 0);
  if (sum === 0) break;
}
