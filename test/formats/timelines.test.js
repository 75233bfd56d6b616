'use strict';

/** Formats that are time lines of all threads: Chrome's trace, read by DevTools' own engine, and the Firefox Profiler's, held against its documented tables. */

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const zlib = require('node:zlib');
const fs = require('node:fs');
const { readProfile } = require('../../lib/profile/read-profile');
const { Profile } = require('../../lib/profile/profile');
const { builtin, js, native, random, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const READER = path.join(__dirname, '..', 'helpers', 'trace-reader.mjs');
const MAIN = js('main', { url: '/srv/app/main.js', line: 1 });
const HOT = js('hot', { url: '/srv/app/main.js', line: 20, sampledLine: 22, sampledColumn: 3 });
const EXPRESS = js('next', { url: '/srv/app/node_modules/express/lib/router.js', line: 4, sampledLine: 5 });
const ZLIB = native('deflate', '/usr/lib/libz.so.1');
const GC = 1;
/** Without a gap between samples, so that times on a time line are those of the samples. */
const RECORDING = recordingOf(
  [
    { atMs: 10, cpuMs: 10, stack: [MAIN, HOT] },
    { atMs: 40, cpuMs: 30, stack: [MAIN, HOT, EXPRESS], block: 1 },
    { atMs: 60, cpuMs: 20, stack: [MAIN, ZLIB], block: 2 },
    { atMs: 67, cpuMs: 7, stack: [MAIN, builtin('ArrayMap')], block: 1 },
    { atMs: 72, cpuMs: 5, stack: [MAIN, HOT], state: GC },
    { atMs: 75, cpuMs: 3, stack: [MAIN, HOT], state: GC },
    { atMs: 90, cpuMs: 15, stack: [MAIN] },
    { atMs: 500, cpuMs: 40, stack: [HOT], thread: 1 },
  ],
  {
    ...{ modules: [{ path: '/usr/lib/libz.so.1', buildId: 'c0ffee', start: 4096, end: 8192, fileOffset: 0 }] },
    blocks: [
      { track: 'checkout', block: 'all', profiler: '', parent: 0 },
      { track: 'checkout', block: 'pack', profiler: '', parent: 1 },
    ],
    marks: [{ timeNs: 30e6, tid: 1000, name: 'deployed', detail: '{"version":7}' }],
  },
);
const PROFILE = new Profile(RECORDING);

/** @param {import('../../lib/index').Profile | Profile} profile @param {string} [view] */
async function readByDevTools(profile, view) {
  const file = path.join(folder, 'x.trace.json');
  await profile.write(file, view === undefined ? {} : { view });
  const { status, stdout, stderr } = spawnSync(process.execPath, [READER, file], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('trace', () => {
  test("DevTools' engine finds each thread, its functions and their times, and the marks", async () => {
    const { threads, marks } = await readByDevTools(PROFILE);
    expect(Object.keys(threads)).toEqual(['1000', '1001']);
    expect(threads[1000].name).toBe('node (main)');
    const { main, hot, next, deflate } = threads[1000].self;
    expect(hot).toBeCloseTo(10, 3);
    expect(next).toBeCloseTo(30, 3);
    expect(deflate).toBeCloseTo(20, 3);
    // What a builtin does counts for the function that called it, in the program's view.
    expect(main).toBeCloseTo(22, 3);
    expect(threads[1001].self.hot).toBeCloseTo(40, 3);
    expect(marks).toContain('deployed');
  });

  test('collections and blocks are spans', () => {
    const { traceEvents } = PROFILE.toTrace();
    const collections = traceEvents.filter(({ name }) => name === 'MajorGC');
    expect(collections).toMatchObject([{ ts: 67_000, dur: 8_000, ph: 'X', tid: 1000 }]);
    const blocks = traceEvents.filter(({ cat }) => cat === 'spprof.block');
    expect(blocks.map(({ name, ph, ts }) => [name, ph, ts])).toEqual([
      ['checkout/all', 'b', 10_000],
      ['checkout/all', 'e', 40_000],
      ['checkout/all > checkout/pack', 'b', 40_000],
      ['checkout/all > checkout/pack', 'e', 60_000],
      ['checkout/all', 'b', 60_000],
      ['checkout/all', 'e', 67_000],
    ]);
    expect(new Set(blocks.map(({ id }) => id)).size).toBe(3);
  });

  test('what is no time is refused', () => {
    const bytes = new Profile({ ...RECORDING, importedFrom: 'pprof', measure: { name: 'space', unit: 'bytes' } });
    expect(() => bytes.toTrace()).toThrow(/a trace holds times, and these are bytes/);
  });

  test('a real recording: every function of JavaScript has its time', async () => {
    const output = path.join(folder, 'busy.spprof');
    const program = path.join(__dirname, '..', 'programs', 'busy.js');
    const { status, stderr } = runCli(['-o', output, process.execPath, program, '600'], { cwd: folder });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const profile = await readProfile(output);
    const { threads } = await readByDevTools(profile);
    const main = profile.threads.find(({ kind }) => kind === 'main');
    const own = profile.filter({ threadIds: [Number(main?.id)] }).inView('program');
    const hottest = own.functions.filter(({ kind }) => kind === 'js')[0];
    const seen = threads[Number(main?.tid)].self[hottest.functionName];
    // DevTools has no time of a function in a collection, and each piece is rounded to a microsecond.
    expect(seen).toBeGreaterThan((hottest.selfNs / 1e6) * 0.98);
    expect(seen).toBeLessThan((hottest.selfNs / 1e6) * 1.02);
  });
});

/**
 * The rules of the format: columns of one length, indices that exist, parents before their children.
 * @param {import('../../lib/index').FirefoxProfile} file
 * @returns {string[]} what is wrong
 */
function problemsOf(file) {
  /** @type {string[]} */
  const problems = [];
  const { shared, threads, meta, libs } = file;
  const tables = /** @type {Record<string, any>} */ (shared);
  /** @param {string} name @param {Record<string, any>} table */
  const columns = (name, table) => {
    for (const [key, column] of Object.entries(table)) {
      if (Array.isArray(column) && column.length !== table.length)
        problems.push(`${name}.${key}: ${column.length} rows`);
    }
  };
  /** @param {string} name @param {(number | null)[]} column @param {number} end @param {number} [least] */
  const indices = (name, column, end, least = 0) => {
    for (const [row, value] of column.entries()) {
      if (value !== null && !(Number.isInteger(value) && value >= least && value < end))
        problems.push(`${name}[${row}] = ${value}`);
    }
  };
  const { stackTable, frameTable, funcTable, resourceTable, sources, nativeSymbols, stringArray } = tables;
  for (const [name, table] of Object.entries({
    stackTable,
    frameTable,
    funcTable,
    resourceTable,
    sources,
    nativeSymbols,
  }))
    columns(name, table);
  indices('stackTable.frame', stackTable.frame, frameTable.length);
  for (const [row, prefix] of stackTable.prefix.entries()) {
    if (prefix !== null && !(prefix >= 0 && prefix < row)) problems.push(`stackTable.prefix[${row}] = ${prefix}`);
  }
  indices('frameTable.func', frameTable.func, funcTable.length);
  indices('frameTable.category', frameTable.category, meta.categories.length);
  for (const [row, category] of frameTable.category.entries()) {
    const parts = category === null ? [] : meta.categories[category].subcategories;
    if (category !== null && parts[frameTable.subcategory[row]] === undefined) problems.push(`subcategory of ${row}`);
  }
  indices('funcTable.name', funcTable.name, stringArray.length);
  indices('funcTable.resource', funcTable.resource, resourceTable.length, -1);
  indices('funcTable.source', funcTable.source, sources.length);
  indices('resourceTable.lib', resourceTable.lib, libs.length);
  indices('resourceTable.name', resourceTable.name, stringArray.length);
  indices('sources.filename', sources.filename, stringArray.length);
  for (const thread of threads) {
    const { samples, markers } = thread;
    columns('samples', samples);
    columns('markers', markers);
    indices('samples.stack', samples.stack, stackTable.length);
    indices('markers.name', markers.name, stringArray.length);
    if (samples.time.some((time, i) => i > 0 && time < samples.time[i - 1])) problems.push('samples go back in time');
    const kinds = /** @type {{ name: string }[]} */ (meta.markerSchema).map(({ name }) => name);
    for (const { type } of markers.data) if (!kinds.includes(type)) problems.push(`no schema of ${type}`);
  }
  if (!meta.categories.some(({ color }) => color === 'grey')) problems.push('no default category');
  for (const { subcategories } of meta.categories) if (subcategories[0] !== 'Other') problems.push('no Other');
  return problems;
}

/** Self time of each function, ms, by the file alone. @param {import('../../lib/index').FirefoxProfile} file @param {number} k thread */
function selfTimes({ shared, threads }, k) {
  /** @type {Record<string, number>} */
  const self = {};
  const { stack, weight } = threads[k].samples;
  for (const [i, node] of stack.entries()) {
    const name = shared.stringArray[shared.funcTable.name[shared.frameTable.func[shared.stackTable.frame[node]]]];
    self[name] = (self[name] ?? 0) + weight[i];
  }
  return self;
}

describe('firefox', () => {
  test('is what its documentation says, and has each thread, function and time', () => {
    const file = PROFILE.toFirefox();
    expect(problemsOf(file)).toEqual([]);
    expect(file.meta).toMatchObject({ interval: 1, startTime: RECORDING.startTimeMs, preprocessedProfileVersion: 62 });
    expect(file.threads.map(({ name, tid, pid, isMainThread }) => ({ name, tid, pid, isMainThread }))).toEqual([
      { name: 'node', tid: 1000, pid: '4242', isMainThread: true },
      { name: 'worker 1', tid: 1001, pid: '4242', isMainThread: false },
    ]);
    expect(selfTimes(file, 0)).toEqual({
      ...{ hot: 10, next: 30, deflate: 20, ArrayMap: 7, '(garbage collector)': 8, main: 15 },
    });
    expect(selfTimes(file, 1)).toEqual({ hot: 40 });
    expect(file.libs).toContainEqual(expect.objectContaining({ name: 'libz.so.1', codeId: 'c0ffee' }));
  });

  test('frames have their lines and categories, packages are subcategories', () => {
    const { shared, meta } = PROFILE.toFirefox();
    const rowOf = (/** @type {string} */ name) => {
      const func = shared.funcTable.name.indexOf(shared.stringArray.indexOf(name));
      return shared.frameTable.func.indexOf(func);
    };
    const categoryOf = (/** @type {string} */ name) => {
      const category = shared.frameTable.category[rowOf(name)];
      return category === null ? null : meta.categories[category].name;
    };
    expect(['hot', 'next', 'deflate', 'ArrayMap', '(garbage collector)'].map(categoryOf)).toEqual([
      ...['your code', 'dependencies', 'native', null, 'garbage collection'],
    ]);
    expect(shared.frameTable.line[rowOf('hot')]).toBe(22);
    expect(meta.categories.find(({ name }) => name === 'dependencies')?.subcategories).toEqual(['Other', 'express']);
  });

  test('collections, blocks and marks are markers', () => {
    const { threads, shared } = PROFILE.toFirefox();
    const { markers } = threads[0];
    const all = markers.name.map((name, i) => [
      ...[shared.stringArray[name], markers.startTime[i], markers.endTime[i], markers.data[i]],
    ]);
    expect(all).toEqual([
      ['checkout/all', 10, 40, { type: 'block' }],
      ['deployed', 30, null, { type: 'mark', detail: '{"version":7}' }],
      ['checkout/all > checkout/pack', 40, 60, { type: 'block' }],
      ['checkout/all', 60, 67, { type: 'block' }],
      ['garbage collection', 67, 75, { type: 'collection' }],
    ]);
  });

  test('compressed by its name, in the view asked for, and any recording holds', async () => {
    const file = path.join(folder, 'x.profile.json.gz');
    await PROFILE.write(file, { view: 'program' });
    const program = JSON.parse(zlib.gunzipSync(fs.readFileSync(file)).toString());
    expect(problemsOf(program)).toEqual([]);
    expect(selfTimes(program, 0).main).toBe(22);

    const seed = Number(process.env.SPPROF_TEST_SEED ?? 20261130);
    const next = random(seed);
    for (let round = 0; round < 50; round++) {
      const samples = Array.from({ length: 1 + Math.floor(next() * 40) }, (_, i) => ({
        ...{
          atMs: i + 1,
          cpuMs: next() < 0.1 ? 0 : next(),
          thread: Math.floor(next() * 3),
          state: next() < 0.2 ? GC : 0,
        },
        stack: next() < 0.1 ? [] : [MAIN, HOT, EXPRESS, ZLIB, builtin('ArrayMap')].filter(() => next() < 0.6),
      }));
      const profile = new Profile(recordingOf(samples));
      const written = profile.toFirefox();
      expect({ seed, round, problems: problemsOf(written) }).toEqual({ seed, round, problems: [] });
      const sum = written.threads.reduce(
        (total, { samples: { weight } }) => total + weight.reduce((a, b) => a + b, 0),
        0,
      );
      expect(Math.abs(sum - profile.cpuNs / 1e6)).toBeLessThan(samples.length * 1e-6);
    }
  });
});
