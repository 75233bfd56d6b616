'use strict';

// Burns CPU time in two functions, three to one, and ends as it is told: `busy.js <ms> [exit status | throw | SIGNAL]`.

/** CPU time used so far, ms. */
function usedMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param {number} ms */
function heavy(ms) {
  let sum = 0;
  for (const end = usedMs() + ms; usedMs() < end; ) {
    for (let i = 0; i < 2e5; i++) sum += Math.sqrt(i);
  }
  return sum;
}

/** @param {number} ms */
function light(ms) {
  let sum = 0;
  for (const end = usedMs() + ms; usedMs() < end; ) {
    for (let i = 0; i < 2e5; i++) sum += Math.sqrt(i);
  }
  return sum;
}

const ms = Number(process.argv[2] ?? 400);
const end = process.argv[3] ?? '0';
for (let i = 0; i < 4; i++) {
  heavy((ms * 3) / 16);
  light(ms / 16);
}
process.stdout.write('done\n');
if (end === 'throw') throw new Error('thrown by the program');
else if (end.startsWith('SIG')) process.kill(process.pid, end);
else process.exit(Number(end));
