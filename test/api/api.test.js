'use strict';

/** `require('spprof')` with the real addon, in processes of their own: one recording a process. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { evaluate: evaluateIn } = require('../helpers/evaluate');
const { cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const ROOT = path.join(__dirname, '..', '..');
const folder = temporaryFolder();

/** @param {string} body */
const evaluate = (body) => evaluateIn(body, { cwd: folder });

test('start() and stop() give a profile of what ran between', () => {
  const result = evaluate(`
    const session = spprof.start({ timer: 'hires', intervalUs: 1000 });
    const before = spprof.isRecording();
    hotLoop(300);
    const { written } = session.stats();
    const profile = await session.stop();
    await profile.write('api.cpuprofile');
    const [top] = profile.functions;
    print({ before, after: spprof.isRecording(), written, top, cpuMs: profile.cpuNs / 1e6, timer: profile.timer,
      kinds: profile.threads.map((thread) => thread.kind), directory: session.directory,
      law: profile.stats.signals - profile.stats.written - Object.values(profile.stats.dropped).reduce((a, b) => a + b, 0) });
  `);
  expect(result).toMatchObject({ before: true, after: false, timer: 'hires', directory: null, law: 0 });
  expect(result.top).toMatchObject({ functionName: 'hotLoop', kind: 'js' });
  expect(result.written).toBeGreaterThan(100);
  expect(result.cpuMs).toBeGreaterThan(200);
  expect(result.kinds).toContain('main');
  expect(fs.existsSync(path.join(folder, 'api.cpuprofile'))).toBe(true);
});

test('stop() is idempotent, and stats() works after it', () => {
  const result = evaluate(`
    const session = spprof.start();
    hotLoop(50);
    const [a, b] = await Promise.all([session.stop(), session.stop()]);
    print({ isSame: a === b && a === await session.stop(), isFinal: session.stats() === a.stats });
  `);
  expect(result).toEqual({ isSame: true, isFinal: true });
});

test('a second start() says where the first was, and recording again works', () => {
  const result = evaluate(`
    function beginHere() { return spprof.start(); }
    const session = beginHere();
    const second = codeOf(() => spprof.start());
    await session.stop();
    const third = await spprof.start().stop();
    print({ second, sampleCount: third.sampleCount });
  `);
  expect(result.second[0]).toBe('ERR_SPPROF_RUNNING');
  expect(result.second[1]).toMatch(/started at beginHere \(/);
  expect(typeof result.sampleCount).toBe('number');
});

test('wrong options start nothing', () => {
  const result = evaluate(`
    const codes = [{ interval: 5 }, { maxFrames: 0 }, { timer: 'sundial' }].map((o) => codeOf(() => spprof.start(o))[0]);
    print({ codes, isRecording: spprof.isRecording() });
  `);
  expect(result).toEqual({
    codes: ['ERR_SPPROF_UNKNOWN_OPTION', 'ERR_SPPROF_OPTION_RANGE', 'ERR_SPPROF_OPTION_RANGE'],
    isRecording: false,
  });
});

test('with dir the recording is kept, and can be read again', () => {
  const result = evaluate(`
    const session = spprof.start({ dir: 'kept', timer: 'hires', intervalUs: 1000 });
    hotLoop(200);
    const profile = await session.stop();
    const again = await spprof.readProfile(session.directory);
    print({ directory: session.directory, first: profile.sampleCount, second: again.sampleCount,
      isClean: again.stoppedCleanly, top: again.functions[0].functionName });
  `);
  expect(path.dirname(result.directory)).toBe(path.join(folder, 'kept'));
  expect(fs.statSync(result.directory).mode & 0o777).toBe(0o700);
  expect(result).toMatchObject({ first: result.second, isClean: true, top: 'hotLoop' });
});

test('a hot loop that is already compiled in place is named, not its caller', () => {
  const result = evaluate(`
    function callerOfLoop() { return compiledLoop(); }
    function compiledLoop() {
      let session = null;
      let sum = 0;
      const begin = usedMs();
      for (let now = begin; now < begin + 700; now = usedMs()) {
        for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
        if (session === null && now > begin + 300) session = spprof.start({ intervalUs: 1000 });
      }
      return session;
    }
    const profile = await callerOfLoop().stop();
    const self = Object.fromEntries(profile.functions.map(({ functionName, selfNs }) => [functionName, selfNs / profile.cpuNs]));
    print({ loop: self.compiledLoop ?? 0, caller: self.callerOfLoop ?? 0 });
  `);
  expect(result.loop).toBeGreaterThan(0.6);
  expect(result.caller).toBeLessThan(0.05);
});

test('ES modules get the same functions', () => {
  const url = JSON.stringify(`file://${ROOT}/lib/index.mjs`);
  const script = `import spprof, { start } from ${url};
    process.stdout.write(String(start === spprof.start && typeof spprof.readProfile === 'function'));`;
  const args = ['--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', env: cleanEnvironment() })).toBe('true');
});

test('dump() shows registry and lanes, and the counters add up', () => {
  const text = evaluate(`
    const session = spprof.start({ intervalUs: 1000, indexRingBytes: 8192 });
    hotLoop(200);
    const text = session.dump();
    await session.stop();
    print(text);`);
  expect(text).toMatch(/rings: index 4 x 8192 bytes, detail 2 x 65536 bytes a thread/);
  const [, pid] = /region of process (\d+): 1 blocks/.exec(text) ?? [];
  expect(text).toMatch(new RegExp(`slot \\d+: active, generation 1, thread ${pid} ".*" \\(main, runs JavaScript\\)`));
  const [, signals, written, dropped] = /signals ([1-9]\d*) = written (\d+)((?: \+ \w+ \d+)*)/.exec(text) ?? [];
  const sum = [...(dropped ?? '').matchAll(/\d+/g)].reduce((total, [count]) => total + Number(count), Number(written));
  expect(sum).toBe(Number(signals));
});
