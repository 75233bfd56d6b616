'use strict';

/** A program that calls `start()` itself, and is recorded by the command: both get what they asked for. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const spprof = require('../../lib/index');
const { spanOfRecording } = require('../../lib/recording/recording-sets');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const LIBRARY = path.join(__dirname, '..', '..', 'lib', 'index.js');

const HEAD = `
  const spprof = require(${JSON.stringify(LIBRARY)});
  const uses = (ms) => { const begin = process.cpuUsage(); let x = 0;
    for (;;) { for (let i = 0; i < 1e5; i++) x += Math.sqrt(x + i); const { user, system } = process.cpuUsage(begin);
      if (user + system > ms * 1000) return x; } };
  function before(ms) { return uses(ms); }
  function within(ms) { return uses(ms); }
  function after(ms) { return uses(ms); }
  const turns = async (work, ms) => { for (let n = 0; n < ms; n += 20) { work(20); await new Promise(setImmediate); } };
  const names = (profile) => profile.functions.map(({ functionName }) => functionName).filter((name) => /^(before|within|after)$/.test(name)).sort();
  const tell = (...what) => console.log(JSON.stringify(what));
`;

/** Runs a program under the command, and bare. @param {string} source @param {string[]} [options] of the command */
function both(source, options = []) {
  const file = path.join(folder, 'program.js');
  fs.writeFileSync(file, `${HEAD}\n(async () => {\n${source}\n})();`);
  const bare = spawnSync(process.execPath, [file], { encoding: 'utf8', env: cleanEnvironment() });
  const recorded = runCli(['-q', '-o', 'o.cpuprofile', ...options, process.execPath, file], { cwd: folder });
  return { bare, recorded, log: path.join(folder, 'o.spprof') };
}

test('its profile is of its own span, and the command’s of everything', async () => {
  const { bare, recorded, log } = both(`
    before(100);
    const session = spprof.start({ intervalUs: 500, maxFrames: 64 });
    within(100);
    session.mark('middle', { detail: { n: 1 } });
    const soFar = await session.snapshot();
    within(100);
    const profile = await session.stop();
    after(100);
    tell(names(soFar), names(profile), profile.sampleCount > soFar.sampleCount, await session.stop() === profile);
    tell(profile.marks.map(({ name, detail }) => [name, detail]), profile.stoppedCleanly, soFar.stoppedCleanly, session.directory);
    tell([...profile.samples()].every(({ timeMs }) => timeMs >= 0 && timeMs * 1e6 < profile.durationNs), spprof.isRecording());
    const again = await spprof.profile(() => after(100));
    tell(names(again.profile));
  `);
  expect(recorded).toMatchObject({ status: 0, stderr: '' });
  const lines = bare.stdout.split('\n');
  expect(lines[0]).toBe('[["within"],["within"],true,true]');
  expect(recorded.stdout.split('\n')).toEqual(lines.map((line) => line.replace(/^\[true,false\]$/, '[true,true]')));
  const names = (await spprof.readProfile(log)).functions.map(({ functionName }) => functionName);
  expect(names).toEqual(expect.arrayContaining(['before', 'within', 'after']));
});

test('one session at a time, as without the command', () => {
  const { bare, recorded } = both(`
    const session = spprof.start();
    try { spprof.start(); } catch ({ code, message }) { tell(code, message.replace(/:.*/, '')); }
    try { spprof.start({ intervalUs: -1 }); } catch ({ code }) { tell(code); }
    await session.stop();
    try { session.pause(); } catch ({ code }) { tell(code); }
    await spprof.start().stop();
  `);
  expect(bare.stdout).toMatch(
    /^\["ERR_SPPROF_RUNNING".*\n\["ERR_SPPROF_OPTION_RANGE"\]\n\["ERR_SPPROF_NOT_RUNNING"\]\n$/,
  );
  expect(recorded).toMatchObject({ status: 0, stdout: bare.stdout, stderr: '' });
});

test('its pauses are its own; its stream has the samples of its profile', async () => {
  const { bare, recorded, log } = both(`
    await turns(before, 60);
    const session = spprof.start({ intervalUs: 1000 });
    let streamed = 0;
    session.on('samples', ({ times }) => { streamed += times.length; });
    session.on('end', () => tell('end'));
    await turns(within, 100);
    tell(session.pause(), session.pause());
    await turns(after, 100);
    tell(session.resume(), session.resume());
    await turns(within, 100);
    const profile = await session.stop();
    tell(names(profile), streamed === profile.sampleCount, streamed > 0);
  `);
  expect(bare.stdout).toBe('[true,false]\n[true,false]\n["end"]\n[["within"],true,true]\n');
  expect(recorded).toMatchObject({ status: 0, stdout: bare.stdout, stderr: '' });
  const names = (await spprof.readProfile(log)).functions.map(({ functionName }) => functionName);
  expect(names).toEqual(expect.arrayContaining(['before', 'within', 'after']));
});

test('its duration ends it, and not the command’s recording', async () => {
  const { recorded, log } = both(`
    const session = spprof.start({ durationS: 0.2 });
    for await (const { times } of session) times.length;
    tell('ended');
    after(100);
    tell(names(await session.stop()));
  `);
  expect(recorded).toMatchObject({ status: 0, stdout: '["ended"]\n[[]]\n', stderr: '' });
  expect((await spprof.readProfile(log)).functions.map(({ functionName }) => functionName)).toContain('after');
});

test('after the command’s recording has ended by its duration, start() is a recording of its own', () => {
  const { recorded } = both(
    `while (spprof.isRecording()) {
       const session = spprof.start();
       within(50);
       const { stats } = await session.stop();
       if (stats.shutdown !== null) break;
     }
     const { profile } = await spprof.profile(() => within(100));
     tell(names(profile), profile.stats.shutdown.reason);`,
    ['-d', '0.05'],
  );
  expect(recorded).toMatchObject({ status: 0, stdout: '[["within"],"stop"]\n', stderr: '' });
});

test('a worker’s start() too', () => {
  const { bare, recorded } = both(`
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(`(async () => { ${HEAD}
      const { profile } = await spprof.profile(() => within(100)); tell(names(profile)); })();`)}, { eval: true });
    await new Promise((resolve) => worker.once('exit', resolve));
  `);
  expect(bare.stdout).toBe('[["within"]]\n');
  expect(recorded).toMatchObject({ status: 0, stdout: bare.stdout, stderr: '' });
});

test('a span of a recording has times of its own, half open', () => {
  const recording = /** @type {any} */ ({
    ...{ startTimeMs: 1000, durationNs: 9e6, threads: [{ id: 0, cpuNs: 4, wallNs: 4, sampleCount: 4 }] },
    ...{ sampleThreads: new Uint32Array(4), sampleTimes: Float64Array.of(1e6, 2e6, 3e6, 4e6) },
    ...{ sampleCpuNs: new Float64Array(4).fill(1), sampleWallNs: new Float64Array(4).fill(1) },
    ...{ sampleStacks: new Uint32Array(4), sampleStates: new Uint8Array(4), sampleBlocks: new Uint32Array(4) },
    marks: [1e6, 2e6, 4e6].map((timeNs) => ({ timeNs, tid: 1, name: 'm', detail: '' })),
  });
  const span = { fromNs: 2e6, toNs: 4e6 };
  const part = spanOfRecording(recording, span, (ns) => ns >= span.fromNs && ns < span.toNs);
  expect([...part.sampleTimes]).toEqual([0, 1e6]);
  expect(part).toMatchObject({ startTimeMs: 1002, durationNs: 2e6, threads: [{ sampleCount: 2, cpuNs: 2 }] });
  expect(part.marks.map(({ timeNs }) => timeNs)).toEqual([0]);
});
