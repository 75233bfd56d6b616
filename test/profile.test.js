'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Profile } = require('../lib/profile');
const { shortNativeName } = require('../lib/exporters/text');
const { builtin, js, native, recordingOf, emptyStats } = require('./helpers/recording');
const { temporaryFolder } = require('./helpers/run-cli');

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

describe('collapsed stacks', () => {
  test('are one line a stack, root first, in microseconds, thread first', () => {
    expect(new Profile(RECORDING).toCollapsed().trimEnd().split('\n').sort()).toEqual([
      'node;main /app/main.js:10_[0] 1000',
      'node;main /app/main.js:10_[0];hot /app/main.js:20_[0] 4000',
      'node;main /app/main.js:10_[0];hot /app/main.js:20_[0];Scavenge;(garbage collector) 2000',
      'worker 1;hot /app/main.js:20_[0] 3000',
    ]);
  });

  test('names with semicolons and line feeds stay on their line, in their place', () => {
    const stack = [
      js('a;b\nc', { url: '', tier: 'turbofan' }),
      js('', { url: '', inlined: true }),
      builtin('ArrayMap'),
    ];
    expect(new Profile(recordingOf([{ atMs: 9, cpuMs: 4, stack }])).toCollapsed()).toBe(
      'node;a:b c_[j];(anonymous)_[i];ArrayMap 4000\n',
    );
  });
});

describe('the report', () => {
  test('shows the hottest functions, what was lost, and what it cost', () => {
    const stats = {
      ...{ ...emptyStats(), written: 4, dropped: { 'ring full': 3, 'stack busy': 0 }, incomplete: 1, cpuNs: 10e6 },
      ...{
        handlerNs: { p50: 900, p99: 9000, max: 20_000, mean: 1000, total: 50_000 },
        warnings: ['a warning'],
        overhead: { handlerPercent: 0.5, deliveryPercent: 0.05 },
      },
    };
    const text = new Profile({ ...RECORDING, stats }).toText({ limit: 2, folder: '/app' });
    expect(text).toMatch(/process 4242: 4 samples, 10 ms of CPU time in 1 s \(tick, 1 ms; Node v20.0.0\)/);
    expect(text).toMatch(/70\.0 % +7\.0 +90\.0 % +hot +main\.js:20 +\[2 threads\]/);
    expect(text).toMatch(/20\.0 % +2\.0 +20\.0 % +\(garbage collector\) +\[main\]/);
    expect(text).not.toMatch(/ main +main\.js:10/);
    expect(text).toMatch(/4 written, 3 dropped \(ring full 3\), 1 incomplete \(25\.0 %\), 0 truncated/);
    expect(text).toMatch(/threads {2}2 seen \(1 main, 1 worker\)/);
    expect(text).toMatch(
      /cost {5}0\.50 % of the CPU time, and about 0\.05 % for the signals \(handler p50 900 ns, p99 9 µs, max 20 µs\)/,
    );
    expect(text).toMatch(/note {5}a warning/);
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
    ['a.pb.gz', {}, 'ERR_SPPROF_UNAVAILABLE'],
    ['a.html', {}, 'ERR_SPPROF_UNAVAILABLE'],
    ['a.txt', { format: 'speedscope' }, 'ERR_SPPROF_UNAVAILABLE'],
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
