'use strict';

/**
 * A loop over two lines of the same work, the second with three times as much of it. Written to a file of its own when it
 * runs, because such lines are longer than any a formatter leaves alone. Prints the lines' numbers.
 */

const fs = require('node:fs');
const path = require('node:path');
const { report } = require('./measure');

const RUN_MS = 1000;
const UNIT = 's = ((s ^ (s >> 3)) + 7) | 0;';
const lines = [
  'module.exports = function twoLines(n, s) {',
  '  for (let i = 0; i < n; i++) {',
  `    ${UNIT.repeat(8)}`,
  `    ${UNIT.repeat(24)}`,
  '  }',
  '  return s;',
  '};',
];
const file = path.join(process.cwd(), 'two-lines.generated.js');
fs.writeFileSync(file, `${lines.join('\n')}\n`);
const twoLines = require(file);

const until = performance.now() + RUN_MS;
let s = 1;
while (performance.now() < until) s = twoLines(3000, s);
report({ main: process.pid, once: 3, threeTimes: 4, s });
