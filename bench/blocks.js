'use strict';

/**
 * What blocks cost: a start and a stop, beside `performance.mark` with `measure` and `console.time`; and a program that has 10,000 a
 * second, in pairs with the same program without, in random order. `[rounds]`: 15.
 */

const { PerformanceObserver, performance } = require('node:perf_hooks');
const spprof = require('../lib/index');

const ROUNDS = Number(process.argv[2] ?? 15);

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** ns of one. @param {() => void} pair @param {number} count */
function costOf(pair, count) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < count; i++) pair();
    return Number(process.hrtime.bigint() - begin) / count;
  });
  return median(rounds);
}

const block = spprof.block('bench', 'pair');
const quiet = new console.Console({
  stdout: new (require('node:stream').Writable)({ write: (_chunk, _encoding, done) => done() }),
});
const rows = [
  [
    'spprof block',
    costOf(() => {
      block.start();
      block.stop();
    }, 200_000),
  ],
  [
    'performance.now() twice',
    costOf(() => {
      performance.now();
      performance.now();
    }, 200_000),
  ],
  [
    'performance.mark, measure',
    costOf(() => {
      performance.mark('a');
      performance.measure('b', 'a');
      performance.clearMarks();
      performance.clearMeasures();
    }, 5000),
  ],
  [
    'console.time, timeEnd',
    costOf(() => {
      quiet.time('a');
      quiet.timeEnd('a');
    }, 5000),
  ],
];
process.stdout.write(`ns for one start and stop, medians of ${ROUNDS} (target: 150)\n`);
for (const [name, ns] of rows)
  process.stdout.write(`  ${String(name).padEnd(28)}${Number(ns).toFixed(0).padStart(7)}\n`);
new PerformanceObserver(() => {}).disconnect();

/** About 100 µs. */
function unit() {
  let s = 1;
  for (let i = 0; i < 80_000; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}
/** CPU time of 5,000 units, ms. @param {() => number} one */
function program(one) {
  const begin = process.cpuUsage();
  for (let i = 0; i < 5000; i++) one();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}
const busy = spprof.block('bench', 'unit');
const timed = () => {
  busy.start();
  const result = unit();
  busy.stop();
  return result;
};
program(unit);
program(timed);
const ratios = [];
const took = [];
for (let round = 0; round < ROUNDS; round++) {
  const isFirst = Math.random() < 0.5;
  const first = program(isFirst ? unit : timed);
  const second = program(isFirst ? timed : unit);
  ratios.push(isFirst ? second / first : first / second);
  took.push(isFirst ? first : second);
}
const perSecond = 5000 / (median(took) / 1000);
process.stdout.write(
  `a program with ${perSecond.toFixed(0)} blocks a second of CPU time: ${((median(ratios) - 1) * 100).toFixed(2)} % more (target at 10,000: 1 %)\n`,
);
