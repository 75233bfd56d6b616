'use strict';

/** The guard that keeps the cost of sampling within `maxOverhead`, and what statistics say of rate and cost. */

const fs = require('node:fs');
const path = require('node:path');
const { expectBalance } = require('../helpers/balance');
const { describeUnlessChosen } = require('../helpers/engine');
const { evaluate } = require('../helpers/evaluate');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

test('sampling that costs more than maxOverhead is made rarer, and one warning says so', () => {
  const { stats, intervalUs } = evaluate(`
    const session = spprof.start({ intervalUs: 20, timer: 'hires', maxOverhead: 1 });
    const deadline = Date.now() + 20000;
    while (session.stats().intervalNs === 20000 && Date.now() < deadline) hotLoop(100);
    hotLoop(1500);
    const profile = await session.stop();
    print({ stats: profile.stats, intervalUs: profile.intervalUs });
  `);
  expect(intervalUs).toBe(20);
  expect(stats.intervalNs).toBeGreaterThan(40_000);
  const said = stats.warnings.filter((text) => text.includes('maxOverhead'));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(
    /^sampling took \d+\.\d % of the CPU time, more than maxOverhead \(1\.0 %\): the interval was made longer, first from 0\.02 to [\d.]+ ms$/,
  );
});

test('within the budget the interval stays', () => {
  const stats = evaluate(`
    const session = spprof.start({ intervalUs: 10000, timer: 'hires' });
    hotLoop(1000);
    print((await session.stop()).stats);
  `);
  expect(stats.intervalNs).toBe(10_000_000);
  expect(stats.warnings.filter((text) => text.includes('maxOverhead'))).toEqual([]);
});

test('final statistics say what was asked for, what was reached and what it cost', () => {
  const { before, after, sampledNs } = evaluate(`
    const session = spprof.start({ intervalUs: 1000, timer: 'hires' });
    hotLoop(500);
    const before = session.stats();
    const { threads } = await session.stop();
    print({ before, after: session.stats(), sampledNs: threads.reduce((sum, { cpuNs }) => sum + cpuNs, 0) });
  `);
  for (const stats of [before, after]) {
    expect(stats).toMatchObject({ intervalNs: 1e6, clock: 'monotonic', rate: { asked: 1000 }, pausedNs: 0 });
    expect(stats.rate.achieved).toBeGreaterThan(700);
    expect(stats.rate.achieved).toBeLessThan(1300);
    const { p50, p99, max, mean, total } = stats.handlerNs;
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(max).toBeGreaterThan(0);
    expect(mean).toBeGreaterThan(0);
    expect(stats.overhead.handlerPercent).toBeCloseTo((total / stats.cpuNs) * 100, 3);
    expect(stats.overhead.deliveryPercent).toBeCloseTo(((stats.signals * stats.deliveryNs) / stats.cpuNs) * 100, 3);
    expect(stats.deliveryNs).toBeGreaterThan(0);
  }
  expect(after.written).toBe(after.drained);
  expect(after.written).toBeGreaterThanOrEqual(before.written);
  // The drain's thread has no samples, and its CPU time is a cost of its own.
  expect(after.rate.achieved).toBeCloseTo((after.written * 1e9) / sampledNs, 3);
  expect(after.overhead.drainPercent).toBeGreaterThan(0);
  expect((after.overhead.drainPercent / 100) * after.cpuNs).toBeLessThan(after.cpuNs - 0.95 * sampledNs);
  expectBalance(after);
});

test('a pause is in the statistics, and its CPU time in no rate', () => {
  const stats = evaluate(`
    const session = spprof.start({ intervalUs: 1000, timer: 'hires' });
    hotLoop(300);
    session.pause();
    hotLoop(300);
    print((await session.stop()).stats);
  `);
  expect(stats.pausedNs).toBeGreaterThan(250e6);
  expect(stats.rate.achieved).toBeGreaterThan(700);
  expect(stats.cpuNs).toBeGreaterThan(590e6);
});

describeUnlessChosen('another signal', () => {
  test('leaves SIGPROF to the program', () => {
    const { heard, written, warnings } = evaluate(`
      let heard = 0;
      process.on('SIGPROF', () => heard++);
      const session = spprof.start({ intervalUs: 1000, timer: 'hires', signal: 'SIGRTMIN+3' });
      process.kill(process.pid, 'SIGPROF');
      while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      hotLoop(600);
      const { stats } = await session.stop();
      print({ heard, written: stats.written, warnings: stats.warnings });
    `);
    expect(heard).toBe(1);
    expect(written).toBeGreaterThan(300);
    expect(warnings).toEqual([]);
  });

  test('is an option of the command, which says what is wrong with one', () => {
    const program = path.join(__dirname, '..', 'programs', 'busy.js');
    const run = runCli(['--signal', 'SIGUSR2', '--max-overhead', '3%', '-o', 'a.cpuprofile', program, '300', '0'], {
      cwd: folder,
    });
    expect(run.status).toBe(0);
    expect(JSON.parse(fs.readFileSync(path.join(folder, 'a.cpuprofile'), 'utf8')).samples.length).toBeGreaterThan(20);
    const refused = runCli(['--signal', 'SIGKILL', 'node', program], { cwd: folder });
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/^spprof: --signal must be one of 'auto', 'SIGPROF', .*not "SIGKILL".*\n$/);
  });
});
