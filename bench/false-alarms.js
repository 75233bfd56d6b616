'use strict';

/**
 * `node bench/false-alarms.js [--runs 16] [--rounds 800] [--slower 1.1]`: how often `diff --fail-over 5%` raises an alarm on two recordings of one
 * program, and how often it finds a function that is slower. It records the program at nice 10, and draws 200 pairs.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { readProfile } = require('../lib/index');

const CLI = path.join(__dirname, '..', 'lib', 'cli', 'main.js');
const LIMIT = 0.05;
const PAIRS = 200;

const PROGRAM = `
const [rounds, slow] = process.argv.slice(2).map(Number);
function roots(n) { let x = 0; for (let i = 0; i < n; i++) x += Math.sqrt(i) * (i & 7); return x; }
function texts(n) { let s = ''; for (let i = 0; i < n; i++) { s += String.fromCharCode(97 + (i % 26)); if (s.length > 2000) s = ''; } return s.length; }
function sorted(a) { return a.slice().sort((x, y) => x - y)[0]; }
function counts(n) { const m = new Map(); for (let i = 0; i < n; i++) m.set(i % 977, (m.get(i % 977) ?? 0) + i); return m.size; }
function parsed(t) { return JSON.parse(t).length; }
const numbers = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 20011);
const text = JSON.stringify(Array.from({ length: 300 }, (_, i) => ({ i, name: 'x' + i })));
let sum = 0;
for (let i = 0; i < rounds; i++) sum += roots(Math.round(600000 * slow)) + texts(20000) + sorted(numbers) + counts(15000) + parsed(text);
`;

/** @param {string} folder @param {string} name @param {number} rounds @param {number} slow */
function record(folder, name, rounds, slow) {
  const command = [
    process.execPath,
    CLI,
    '-q',
    '-r',
    '1000',
    '-o',
    name,
    process.execPath,
    'program.js',
    String(rounds),
    String(slow),
  ];
  execFileSync('nice', ['-n', '10', ...command], { cwd: folder });
  return readProfile(path.join(folder, name));
}

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '16' },
      rounds: { type: 'string', default: '800' },
      slower: { type: 'string', default: '1.1' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [runs, rounds, slower, seed] = [values.runs, values.rounds, values.slower, values.seed].map(Number);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-alarms-'));
  fs.writeFileSync(path.join(folder, 'program.js'), PROGRAM);
  const same = [];
  const slow = [];
  for (let i = 0; i < runs; i++) {
    same.push(await record(folder, `same-${i}.spprof`, rounds, 1));
    if (i % 3 === 0) slow.push(await record(folder, `slow-${i}.spprof`, rounds, slower));
  }
  fs.rmSync(folder, { recursive: true });
  let state = seed;
  const below = (/** @type {number} */ count) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  let [alarms, found] = [0, 0];
  for (let i = 0; i < PAIRS; i++) {
    const first = below(runs);
    const second = (first + 1 + below(runs - 1)) % runs;
    if (same[second].compare(same[first], { limit: LIMIT }).isSlower) alarms++;
    const { functions } = slow[below(slow.length)].compare(same[first], { limit: LIMIT });
    if (functions.some(({ functionName, isSlower }) => functionName === 'roots' && isSlower)) found++;
  }
  const seconds = same.map(({ cpuNs }) => cpuNs / 1e9);
  process.stdout.write(
    `seed ${seed}; ${runs} recordings of ${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)} s of CPU time\n` +
      `false alarms: ${alarms} of ${PAIRS} pairs; ${slower} times as slow was found: ${found} of ${PAIRS}\n`,
  );
}

main();
