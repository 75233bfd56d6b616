'use strict';

/** Other profilers and other users of SIGPROF in one process with us; and a program that counts what signals do to it. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build } = require('../fixtures/native-addon/build');
const { testUnlessChosen } = require('../helpers/engine');
const { evaluate } = require('../helpers/evaluate');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const ROOT = path.join(__dirname, '..', '..');
const folder = temporaryFolder();
const PROGRAM = path.join(__dirname, '..', 'programs', 'busy.js');

/** Samples of a function in a `.cpuprofile`. @param {string} file @param {string} name */
function hitsOf(file, name) {
  const { nodes } = JSON.parse(fs.readFileSync(file, 'utf8'));
  return nodes
    .filter((/** @type {any} */ { callFrame }) => callFrame.functionName === name)
    .reduce((/** @type {number} */ sum, /** @type {any} */ { hitCount }) => sum + hitCount, 0);
}

// It puts SIGPROF back to the default when it ends, and the next tick in SIGPROF would have ended the process.
testUnlessChosen('node --cpu-prof: both profiles are there, and the program ends as it would', () => {
  for (let turn = 0; turn < 3; turn++) {
    const profiles = path.join(folder, `v8-${turn}`);
    const args = ['-q', '-i', '1ms', '-o', `ours-${turn}.cpuprofile`, 'node', '--cpu-prof', '--cpu-prof-dir', profiles];
    const run = runCli([...args, PROGRAM, '600', '7'], { cwd: folder });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 7, stderr: '' });
    expect(hitsOf(path.join(folder, `ours-${turn}.cpuprofile`), 'heavy')).toBeGreaterThan(150);
    const [theirs] = fs.readdirSync(profiles);
    expect(hitsOf(path.join(profiles, theirs), 'heavy')).toBeGreaterThan(100);
  }
});

testUnlessChosen("V8's profiler that starts and ends while we record: both see the work", () => {
  const { ours, theirs, warnings, signal } = evaluate(`
    const { Session } = require('node:inspector');
    const inspector = new Session();
    inspector.connect();
    const post = (method) => new Promise((resolve, reject) =>
      inspector.post(method, (error, result) => (error ? reject(error) : resolve(result))));
    const session = spprof.start({ intervalUs: 1000, timer: 'hires' });
    await post('Profiler.enable');
    await post('Profiler.start');
    hotLoop(400);
    const { profile } = await post('Profiler.stop');
    hotLoop(400);
    const { functions, stats } = await session.stop();
    print({
      ours: functions.find(({ functionName }) => functionName === 'hotLoop').totalNs / 1e6,
      theirs: profile.nodes.filter(({ callFrame }) => callFrame.functionName === 'hotLoop').reduce((sum, { hitCount }) => sum + hitCount, 0),
      warnings: stats.warnings,
      signal: stats.signal,
    });
  `);
  expect(ours).toBeGreaterThan(600);
  expect(theirs).toBeGreaterThan(50);
  expect(warnings).toEqual([]);
  expect(signal).toMatch(/^SIGRTMIN\+\d+$/);
});

testUnlessChosen('@datadog/pprof, in SIGPROF too: both see the work, and both end alone', () => {
  const { ours, theirs, again } = evaluate(`
    const { time } = require(${JSON.stringify(require.resolve('@datadog/pprof'))});
    const namesOf = (profile) => profile.function.map(({ name }) => profile.stringTable.strings[Number(name)]);
    // By then the loop may be a part of its caller's code, where V8's profiler does not see it.
    const countOf = (profile) => profile.sample.reduce((sum, { value }) => sum + Number(value[0]), 0);
    const session = spprof.start({ intervalUs: 1000, timer: 'hires' });
    time.start({ intervalMicros: 1000 });
    hotLoop(400);
    const theirs = namesOf(time.stop());
    hotLoop(400);
    const { functions } = await session.stop();
    time.start({ intervalMicros: 1000 });
    hotLoop(300);
    print({
      ours: functions.find(({ functionName }) => functionName === 'hotLoop').totalNs / 1e6,
      theirs: theirs.includes('hotLoop'),
      again: countOf(time.stop()),
    });
  `);
  expect(ours).toBeGreaterThan(600);
  expect(theirs).toBe(true);
  expect(again).toBeGreaterThan(100);
});

testUnlessChosen('a listener for SIGPROF that comes and goes while we record', () => {
  const { heard, written } = evaluate(`
    let heard = 0;
    const session = spprof.start({ intervalUs: 1000, timer: 'hires' });
    for (let turn = 1; turn <= 5; turn++) {
      const listener = () => heard++;
      process.on('SIGPROF', listener);
      process.kill(process.pid, 'SIGPROF');
      while (heard < turn) await new Promise((resolve) => setTimeout(resolve, 1));
      process.removeListener('SIGPROF', listener);
      hotLoop(100);
    }
    print({ heard, written: (await session.stop()).stats.written });
  `);
  expect(heard).toBe(5);
  expect(written).toBeGreaterThan(300);
});

describe('a second copy of spprof in the process', () => {
  const copy = path.join(folder, 'copy');
  beforeAll(() => {
    for (const part of ['lib', 'package.json', 'build/Release/spprof.node']) {
      fs.mkdirSync(path.dirname(path.join(copy, part)), { recursive: true });
      fs.cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
    }
  });

  testUnlessChosen.each(['auto', 'SIGPROF'])('both record (signal %s), and each ends alone', (signal) => {
    const profiles = evaluate(`
      const other = require(${JSON.stringify(copy)});
      const options = { intervalUs: 1000, timer: 'hires', signal: '${signal}' };
      const [first, second] = [spprof.start(options), other.start(options)];
      hotLoop(500);
      const a = await first.stop();
      hotLoop(500);
      const b = await second.stop();
      print([a, b].map(({ functions, cpuNs, stats }) => ({
        top: functions[0].functionName, cpuMs: cpuNs / 1e6,
        law: stats.signals - stats.written - Object.values(stats.dropped).reduce((x, y) => x + y, 0) })));
    `);
    expect(profiles[0]).toMatchObject({ top: 'hotLoop', law: 0 });
    expect(profiles[1]).toMatchObject({ top: 'hotLoop', law: 0 });
    expect(profiles[0].cpuMs).toBeGreaterThan(350);
    expect(profiles[0].cpuMs).toBeLessThan(650);
    expect(profiles[1].cpuMs).toBeGreaterThan(800);
  });
});

test('a handler of SIGSEGV that takes our place costs samples time, and is told once', () => {
  const { faults, worked, warnings } = evaluate(`
    const fixture = require(${JSON.stringify(build().addon)});
    const session = spprof.start({ intervalUs: 1000 });
    hotLoop(100);
    fixture.installSigsegv();
    hotLoop(400);
    const faults = fixture.ownFaults(10);
    const { functions, stats } = await session.stop();
    print({
      faults,
      worked: functions.find(({ functionName }) => functionName === 'hotLoop').totalNs / 1e6,
      warnings: stats.warnings.filter((warning) => /SIGSEGV/.test(warning)),
    });
  `);
  expect(faults).toBe(10);
  expect(worked).toBeGreaterThan(300);
  expect(warnings).toEqual([expect.stringMatching(/has taken over SIGSEGV or SIGBUS: memory is read by system calls/)]);
});

test('a program that sleeps and wakes takes as many turns of its event loop as without us', () => {
  /** @param {boolean} isRecorded */
  const turnsOf = (isRecorded) =>
    evaluate(`
      const { uvMetricsInfo } = performance.nodeTiming;
      if (uvMetricsInfo === undefined) return print(null);
      const session = ${isRecorded} ? spprof.start({ timer: 'tick' }) : null;
      await new Promise((resolve) => setTimeout(resolve, 100));
      const before = performance.nodeTiming.uvMetricsInfo.loopCount;
      let ticks = 0;
      await new Promise((resolve) => {
        const timer = setInterval(() => { if (++ticks === 50) { clearInterval(timer); resolve(); } }, 20);
      });
      const turns = performance.nodeTiming.uvMetricsInfo.loopCount - before;
      await session?.stop();
      print(turns);`);
  const without = turnsOf(false);
  if (without === null) return; // this Node does not count them
  expect(Math.abs(turnsOf(true) - without)).toBeLessThanOrEqual(3);
});

test('the recorded program is not told to end by a signal of ours, whatever the engine', () => {
  for (const timer of ['tick', 'hires', 'itimer']) {
    const { status, signal } = spawnSync(
      process.execPath,
      ['-e', `require(${JSON.stringify(ROOT)}).start({ timer: '${timer}', intervalUs: 500 }); process.exitCode = 3;`],
      { env: cleanEnvironment(), timeout: 20_000 },
    );
    expect({ status, signal }).toEqual({ status: 3, signal: null });
  }
});
