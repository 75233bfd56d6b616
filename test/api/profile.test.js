'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Profile } = require('../../lib/profile/profile');
const { shortNativeName } = require('../../lib/recording/native-names');
const { builtin, js, native, recordingOf, emptyStats } = require('../helpers/recording');
const { temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const MAIN = js('main');
const HOT = js('hot', { line: 20 });
const RECORDING = recordingOf([
  { atMs: 10, cpuMs: 4, stack: [MAIN, HOT] },
  { atMs: 20, cpuMs: 1, stack: [MAIN] },
  { atMs: 30, cpuMs: 2, stack: [MAIN, HOT, native('Scavenge')], state: 1 },
  { atMs: 30, cpuMs: 3, stack: [HOT], thread: 1 },
]);

describe('functions', () => {
  test('have self and total time over all threads, most self time first', () => {
    const rows = new Profile(RECORDING).functions.map(({ functionName, selfNs, totalNs, sampleCount, threadIds }) => [
      ...[functionName, selfNs / 1e6, totalNs / 1e6, sampleCount, threadIds],
    ]);
    expect(rows).toEqual([
      ['hot', 7, 9, 2, [0, 1]],
      ['(garbage collector)', 2, 2, 1, [0]],
      ['main', 1, 7, 1, [0]],
      ['Scavenge', 0, 2, 0, []],
    ]);
  });

  test('a recursive function counts once a stack', () => {
    const profile = new Profile(recordingOf([{ atMs: 9, cpuMs: 4, stack: [HOT, MAIN, HOT, HOT] }]));
    expect(profile.functions[0]).toMatchObject({ functionName: 'hot', selfNs: 4e6, totalNs: 4e6 });
  });

  test('sums are those of the samples', () => {
    const profile = new Profile(RECORDING);
    expect(profile.cpuNs).toBe(10e6);
    expect(profile.functions.reduce((sum, { selfNs }) => sum + selfNs, 0)).toBe(10e6);
    expect(profile.sampleCount).toBe(4);
  });
});

describe('samples and stacks', () => {
  test('are there one by one, stacks leaf first', () => {
    const profile = new Profile(RECORDING);
    const samples = [...profile.samples()];
    expect(samples.map(({ timeMs, cpuNs, threadId, isGc }) => [timeMs, cpuNs / 1e6, threadId, isGc])).toEqual([
      [10, 4, 0, false],
      [20, 1, 0, false],
      [30, 2, 0, true],
      [30, 3, 1, false],
    ]);
    expect(profile.stack(samples[2].stackId).map(({ functionName }) => functionName)).toEqual([
      'Scavenge',
      'hot',
      'main',
    ]);
    expect(() => profile.stack(99)).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_OPTION_RANGE' }));
  });
});

describe('filter()', () => {
  test.each([
    [{ threadIds: [1] }, 3, 1],
    [{ fromMs: 20 }, 6, 3],
    [{ toMs: 20 }, 4, 1],
    [{ fromMs: 20, toMs: 30 }, 1, 1],
    [{ isGc: true }, 2, 1],
    [{ isGc: false, threadIds: [0] }, 5, 2],
    [{}, 10, 4],
  ])('%j: %d ms in %d samples', (which, cpuMs, sampleCount) => {
    const some = new Profile(RECORDING).filter(which);
    expect({ cpuMs: some.cpuNs / 1e6, sampleCount: some.sampleCount }).toEqual({ cpuMs, sampleCount });
    expect(some.threads.reduce((sum, { cpuNs }) => sum + cpuNs, 0)).toBe(some.cpuNs);
    expect(some.functions.reduce((sum, { selfNs }) => sum + selfNs, 0)).toBe(some.cpuNs);
  });

  test('an unknown thread is an error', () => {
    const filter = () => new Profile(RECORDING).filter({ threadIds: [7] });
    expect(filter).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_UNKNOWN_THREAD' }));
  });
});

describe('merge()', () => {
  test('adds up, threads side by side, equal stacks one', () => {
    const one = new Profile(RECORDING);
    const later = {
      ...RECORDING,
      startTimeMs: RECORDING.startTimeMs + 100,
      frames: RECORDING.frames.map((f) => ({ ...f })),
    };
    const both = one.merge(new Profile(later));
    expect(both.cpuNs).toBe(2 * one.cpuNs);
    expect(both.threads.map(({ id, name }) => [id, name])).toEqual([
      [0, 'node'],
      [1, 'worker 1'],
      [2, 'node'],
      [3, 'worker 1'],
    ]);
    expect(both.durationNs).toBe(1.1e9);
    expect([...both.samples()].at(-1)?.timeMs).toBe(130);
    expect(both.functions.map(({ functionName, selfNs }) => [functionName, selfNs])).toEqual(
      one.functions.map(({ functionName, selfNs }) => [functionName, 2 * selfNs]),
    );
    expect(both.stats.written).toBe(2 * one.stats.written);
    const stackIds = [...both.samples()].map(({ stackId }) => stackId);
    expect(new Set(stackIds).size).toBe(new Set([...one.samples()].map(({ stackId }) => stackId)).size);
    expect(both.toCpuProfile(2).samples).toHaveLength(one.toCpuProfile(0).samples.length);
  });

  test('rates and costs are of the CPU time of both', () => {
    const busy = {
      ...{ ...emptyStats(), cpuNs: 5e9, sampledCpuNs: 3e9 },
      handlerNs: { p50: 900, p99: 9000, max: 20_000, mean: 1000, total: 40e6 },
      rate: { asked: 1000, achieved: 900 },
      overhead: { handlerPercent: 1, deliveryPercent: 2, drainPercent: 3 },
    };
    const idle = {
      ...{ ...emptyStats(), cpuNs: 1e9, sampledCpuNs: 1e9 },
      handlerNs: { p50: 900, p99: 9000, max: 20_000, mean: 1000, total: 20e6 },
      rate: { asked: 1000, achieved: 1000 },
      overhead: { handlerPercent: 2, deliveryPercent: 4, drainPercent: 6 },
    };
    const [one, other] = [busy, idle].map((stats) => new Profile({ ...RECORDING, stats }));
    const { rate, overhead, sampledCpuNs } = one.merge(other).stats;
    expect(sampledCpuNs).toBe(4e9);
    expect(rate.achieved).toBeCloseTo((3 * 900 + 1000) / 4, 6);
    expect(overhead.handlerPercent).toBeCloseTo(60e6 / 50e6, 6); // 4 s and 1 s outside of pauses
    expect(overhead.deliveryPercent).toBeCloseTo((4 * 2 + 1 * 4) / 5, 6);
    expect(overhead.drainPercent).toBeCloseTo((5 * 3 + 1 * 6) / 6, 6);
  });

  test('profiles of different intervals are refused, and what is none', () => {
    const slower = new Profile({ ...RECORDING, intervalNs: 5e6 });
    expect(() => new Profile(RECORDING).merge(slower)).toThrow(
      expect.objectContaining({ code: 'ERR_SPPROF_NOT_ALIKE' }),
    );
    expect(() => new Profile(RECORDING).merge(/** @type {any} */ ({}))).toThrow(
      expect.objectContaining({ code: 'ERR_SPPROF_OPTION_TYPE' }),
    );
  });
});

describe('diff()', () => {
  test('pairs functions, also those that have moved, and shows shares', () => {
    const moved = js('hot', { line: 21 });
    const before = new Profile(
      recordingOf([
        { atMs: 1, cpuMs: 5, stack: [MAIN, HOT] },
        { atMs: 2, cpuMs: 5, stack: [MAIN] },
      ]),
    );
    const after = new Profile(
      recordingOf([
        { atMs: 1, cpuMs: 16, stack: [MAIN, moved] },
        { atMs: 2, cpuMs: 4, stack: [MAIN, js('fresh', { line: 30 })] },
      ]),
    );
    const rows = after
      .diff(before)
      .map(({ functionName, line, selfChange, before: was, after: is }) => [
        ...[functionName, line, Number(selfChange.toFixed(2)), was.selfShare, is.selfShare],
      ]);
    expect(rows).toEqual([
      ['main', 10, -0.5, 0.5, 0],
      ['hot', 21, 0.3, 0.5, 0.8],
      ['fresh', 30, 0.2, 0, 0.2],
    ]);
  });

  test('two of one name in a file are not mixed up', () => {
    const pair = [js('', { line: 1 }), js('', { line: 2 })];
    const before = new Profile(recordingOf(pair.map((frame, i) => ({ atMs: i, cpuMs: 1, stack: [frame] }))));
    expect(before.diff(before).map(({ selfChange }) => selfChange)).toEqual([0, 0]);
    const shifted = [js('', { line: 3 }), js('', { line: 4 })];
    const after = new Profile(recordingOf(shifted.map((frame, i) => ({ atMs: i, cpuMs: 1, stack: [frame] }))));
    expect(after.diff(before)).toHaveLength(4);
  });
});

describe('collapsed stacks', () => {
  test('are one line a stack, root first, in microseconds, thread first', () => {
    expect(new Profile(RECORDING).toCollapsed().trimEnd().split('\n').sort()).toEqual([
      '[node main tid=1000 us];main /app/main.js:10_[0] 1000',
      '[node main tid=1000 us];main /app/main.js:10_[0];hot /app/main.js:20_[0] 4000',
      '[node main tid=1000 us];main /app/main.js:10_[0];hot /app/main.js:20_[0];Scavenge;(garbage collector) 2000',
      '[worker 1 worker tid=1001 us];hot /app/main.js:20_[0] 3000',
    ]);
  });

  test('names with semicolons and line feeds stay on their line, in their place', () => {
    const stack = [
      js('a;b\nc', { url: '', tier: 'turbofan' }),
      js('', { url: '', inlined: true }),
      builtin('ArrayMap'),
    ];
    expect(new Profile(recordingOf([{ atMs: 9, cpuMs: 4, stack }])).toCollapsed({ view: 'full' })).toBe(
      '[node main tid=1000 us];a:b c_[j];(anonymous)_[i];ArrayMap 4000\n',
    );
  });
});

test('in wall mode a thread that has nothing to do is no time in system calls', () => {
  const wait = [native('uv__io_poll'), native('epoll_pwait', '/lib/libc.so.6')];
  const blocked = [native('uv__run_timers'), js('load'), native('read', '/lib/libc.so.6')];
  const samples = [
    { atMs: 100, cpuMs: 0, wallMs: 70, stack: wait, state: 8 },
    { atMs: 200, cpuMs: 0, wallMs: 20, stack: blocked, state: 8 },
    { atMs: 300, cpuMs: 10, wallMs: 10, stack: [native('uv__run_timers'), js('load')] },
  ];
  const { categories } = new Profile(recordingOf(samples, { mode: 'wall' }));
  expect(categories.map(({ name, percent, parts }) => [name, percent, parts.map((part) => part.name)])).toEqual([
    ['your code', 10, []],
    ['native', 20, ['system calls']],
    ['other', 70, ['waiting']],
  ]);
});

describe('the report', () => {
  test('shows the hottest functions, what was lost, and what it cost', () => {
    const stats = {
      ...{
        ...emptyStats(),
        written: 4,
        dropped: { 'ring full': 3, 'stack busy': 0, off_cpu: 5, not_due: 7 },
        incomplete: 1,
        stacksLost: 2,
        cpuNs: 10e6,
      },
      ...{
        handlerNs: { p50: 900, p99: 9000, max: 20_000, mean: 1000, total: 50_000 },
        warnings: ['a warning'],
        overhead: { handlerPercent: 0.5, deliveryPercent: 0.05, drainPercent: 1.25 },
      },
    };
    const text = new Profile({ ...RECORDING, stats }).toText({ limit: 2, folder: '/app', hasEngine: true });
    expect(text).toMatch(/process 4242: 4 samples, 10 ms of CPU time in 1 s \(tick, 1 ms; Node v20.0.0\)/);
    expect(text).toMatch(/70\.0 % +7\.0 +90\.0 % +hot +main\.js:20 +\[2 threads\]/);
    expect(text).toMatch(/20\.0 % +2\.0 +20\.0 % +\(garbage collector\) +\[main\]/);
    expect(text).not.toMatch(/ main +main\.js:10/);
    expect(text).toMatch(
      /4 written, 3 dropped \(ring full 3\), 1 incomplete \(25\.0 %\), 0 truncated \(0\.0 %\), 2 without their stack/,
    );
    expect(text).toMatch(/threads {2}2 seen \(1 main, 1 worker\)/);
    expect(text).toMatch(
      /cost {5}0\.50 % of the CPU time, and about 0\.05 % for the signals, and 1\.25 % in a thread of its own \(handler p50 900 ns, p99 9 µs, max 20 µs\)/,
    );
    expect(text).toMatch(/note {5}a warning/);
    expect(text).toMatch(/^your code 80\.0 %, garbage collection 20\.0 %\n/);
    const short = new Profile({ ...RECORDING, stats }).toText();
    expect(short).toMatch(/lost {5}3 dropped \(ring full 3\) of 4 samples\n/);
    expect(short).toMatch(/note {5}a warning/);
    expect(short).not.toMatch(/^(cost|rate|samples|threads|log) /m);
  });

  test('says of how many samples the line is known', () => {
    const placed = js('f', { sampledLine: 12 });
    const text = new Profile(
      recordingOf([
        { atMs: 1, cpuMs: 1, stack: [js('f'), placed] },
        { atMs: 2, cpuMs: 1, stack: [js('f'), placed, builtin('ArrayMap')] },
        { atMs: 3, cpuMs: 1, stack: [placed, js('f')] },
        { atMs: 4, cpuMs: 1, stack: [placed, placed, native('memcpy')] },
        { atMs: 5, cpuMs: 1, stack: [native('main')] },
      ]),
    ).toText();
    expect(text).toMatch(/lines {4}known of 75\.0 % of 4 samples in JavaScript/);
  });

  test('an empty recording has a report', () => {
    expect(new Profile(recordingOf([])).toText()).toMatch(/0 samples, 0 ns of CPU time/);
  });

  test.each([
    ['v8::internal::Heap::Collect(v8::internal::Space, int)', 'v8::internal::Heap::Collect'],
    ['void std::sort<int*, less<int> >(int*, int*)', 'std::sort'],
    ['(anonymous namespace)::run(int) [clone .part.0]', '(anonymous namespace)::run(int) [clone .part.0]'],
    ['node::(anonymous namespace)::run(int)', 'node::{anonymous}::run'],
    ['__munmap', '__munmap'],
    ['Foo::operator()(int)', 'Foo::operator()(int)'],
  ])('shortens %j to %j', (long, short) => {
    expect(shortNativeName(long)).toBe(short);
  });
});

describe('write()', () => {
  test('takes the format of the extension, and gives the absolute path', async () => {
    const profile = new Profile(RECORDING);
    const file = path.join(folder, 'a.cpuprofile');
    expect(await profile.write(path.relative(process.cwd(), file))).toBe(file);
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(profile.toCpuProfile())));
    await profile.write(path.join(folder, 'a.folded'));
    expect(fs.readFileSync(path.join(folder, 'a.folded'), 'utf8')).toBe(profile.toCollapsed());
  });

  test('takes the format and the thread that are asked for', async () => {
    const profile = new Profile(RECORDING);
    await profile.write(path.join(folder, 'worker.json'), { format: 'cpuprofile', threadId: 1 });
    const written = JSON.parse(fs.readFileSync(path.join(folder, 'worker.json'), 'utf8'));
    expect(written['x-spprof'].thread.name).toBe('worker 1');
  });

  test.each([
    ['a.xyz', {}, 'ERR_SPPROF_UNKNOWN_FORMAT'],
    ['a.txt', { format: 'cpuprofil' }, 'ERR_SPPROF_OPTION_RANGE'],
    ['a.spprof', {}, 'ERR_SPPROF_OUTPUT'],
    ['missing/a.txt', {}, 'ERR_SPPROF_OUTPUT'],
    ['a.cpuprofile', { threadId: 99 }, 'ERR_SPPROF_UNKNOWN_THREAD'],
    ['', {}, 'ERR_SPPROF_OPTION_TYPE'],
  ])('%j with %j is refused with %s', async (name, settings, code) => {
    const file = name === '' ? '' : path.join(folder, name);
    await expect(new Profile(RECORDING).write(file, settings)).rejects.toMatchObject({ code });
  });
});

test('an unknown thread is refused with those there are', () => {
  expect(() => new Profile(RECORDING).toCpuProfile(9)).toThrow(
    /no thread 9 in this profile; it has 0 \(node\), 1 \(worker 1\)/,
  );
});

test('a process that ended before any thread was seen has a main thread that was idle', () => {
  const profile = new Profile({ ...recordingOf([]), threads: [] }).toCpuProfile();
  expect(profile.samples).toHaveLength(1);
  expect(profile['x-spprof']).toMatchObject({ thread: { kind: 'main', sampleCount: 0 } });
});

test('a mark whose detail has been damaged is text, and hides nothing else', () => {
  const recording = recordingOf([{ atMs: 1, cpuMs: 1, stack: [MAIN] }]);
  const marks = [
    { name: 'whole', detail: '{"version":7}', timeNs: 1e6, tid: 0 },
    { name: 'damaged', detail: '{"versi', timeNs: 2e6, tid: 0 },
    { name: 'none', detail: '', timeNs: 3e6, tid: 0 },
  ];
  const profile = new Profile({ ...recording, marks });
  expect(profile.marks.map(({ detail }) => detail)).toEqual([{ version: 7 }, '{"versi', undefined]);
  expect(profile.sampleCount).toBe(1);
});
