'use strict';

// Says that it runs and never ends: `endless.js loop`, or `endless.js wait`; `handle` waits and ends itself on SIGINT.

const how = process.argv[2];

function endlessLoop() {
  let sum = 0;
  for (let i = 0; ; i++) {
    sum += Math.sqrt(i);
    if (i % 1e8 === 9e7 && sum > 0) require('node:fs').writeSync(1, 'running\n');
  }
}

if (how === 'loop') {
  endlessLoop();
} else {
  setInterval(() => {}, 1000);
  if (how === 'handle') {
    process.on('SIGINT', () => process.exit(9));
  }
  process.stdout.write('running\n');
}
