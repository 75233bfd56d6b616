'use strict';

/**
 * One function of so many lines that V8's table of its positions is much longer than what the profiler reads of it at a
 * time; all its work is in a loop near its end. Written to a file of its own when it runs. Prints the loop's lines.
 */

const fs = require('node:fs');
const path = require('node:path');
const { report } = require('./measure');

const RUN_MS = 1200;
const FILLING = 5000;
const LOOP = ['    for (let i = 0; i < n; i++) {', ...Array(6).fill('      s = ((s ^ (s >> 3)) + 7) | 0;'), '    }'];
const lines = [
  'module.exports = function longFunction(n, s) {',
  '  if (n === 0) {',
  ...Array.from({ length: FILLING }, (_, i) => `    s = module.other(s, ${i}) + module.another;`),
  '  } else {',
  ...LOOP,
  '  }',
  '  return s;',
  '};',
];
const file = path.join(process.cwd(), 'long-function.generated.js');
fs.writeFileSync(file, `${lines.join('\n')}\n`);
const longFunction = require(file);

const until = performance.now() + RUN_MS;
let s = 1;
while (performance.now() < until) s = longFunction(3000, s);
const first = lines.indexOf(LOOP[0]) + 1;
report({ main: process.pid, first, last: first + LOOP.length - 1, s });
