'use strict';

/**
 * The formats as others read them: speedscope's own app in a browser (it imports .cpuprofile, pprof, collapsed stacks and its own),
 * pprof-format; what we read of others; and back and forth.
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const zlib = require('node:zlib');
const pprof = require('pprof-format');
const spprof = require('../../lib/index');
const { readProfile } = require('../../lib/profile/read-profile');
const { Profile } = require('../../lib/profile/profile');
const { browserTest, launchBrowser } = require('../helpers/browser');
const { builtin, js, native, random, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const FIXTURES = path.join(__dirname, '..', 'fixtures', 'profiles');
const inFolder = (/** @type {string} */ name) => path.join(folder, name);

const MAIN = js('main', { url: '/srv/app/main.js', line: 1 });
const HOT = js('hot', { url: '/srv/app/main.js', line: 20, sampledLine: 22, sampledColumn: 3 });
const SMALL = js('small', { url: '/srv/app/main.js', line: 40, inlined: true });
const ZLIB = native('deflate', '/usr/lib/libz.so.1');
const RECORDING = recordingOf(
  [
    { atMs: 100, cpuMs: 10, stack: [MAIN, HOT] },
    { atMs: 200, cpuMs: 30, stack: [MAIN, HOT, SMALL] },
    { atMs: 300, cpuMs: 20, stack: [MAIN, ZLIB] },
    { atMs: 350, cpuMs: 7, stack: [MAIN, builtin('ArrayMap')] },
    { atMs: 400, cpuMs: 5, stack: [MAIN, HOT], state: 1 },
    { atMs: 500, cpuMs: 40, stack: [HOT], thread: 1 },
  ],
  { modules: [{ path: '/usr/lib/libz.so.1', buildId: 'c0ffee', start: 4096, end: 8192, fileOffset: 0 }] },
);
const PROFILE = new Profile(RECORDING);
const EXTENSIONS = [
  'cpuprofile',
  'pb.gz',
  'pb',
  'speedscope.json',
  'collapsed',
  'cpuprofile.gz',
  'collapsed.gz',
  'speedscope.json.gz',
];

describe('pprof', () => {
  const decoded = pprof.Profile.decode(zlib.gunzipSync(PROFILE.toPprof()));
  const text = (/** @type {number | bigint} */ index) => decoded.stringTable.strings[Number(index)];
  const labelOf = (/** @type {pprof.Sample} */ { label }, /** @type {string} */ key) =>
    label.find((each) => text(each.key) === key);

  test('samples have their count, CPU and wall time, to the nanosecond', () => {
    expect(decoded.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
      ['wall', 'nanoseconds'],
    ]);
    const sum = (/** @type {number} */ k) => decoded.sample.reduce((total, { value }) => total + Number(value[k]), 0);
    expect([sum(0), sum(1), sum(2)]).toEqual([6, PROFILE.cpuNs, PROFILE.wallNs]);
    expect(text(decoded.defaultSampleType)).toBe('cpu');
    expect(Number(decoded.period)).toBe(RECORDING.intervalNs);
    expect(Number(decoded.timeNanos) / 1e6).toBe(RECORDING.startTimeMs);
  });

  test('they are labelled with their threads', () => {
    const byThread = new Map();
    for (const sample of decoded.sample) {
      const name = text(labelOf(sample, 'thread')?.str ?? 0);
      byThread.set(name, (byThread.get(name) ?? 0) + Number(sample.value[1]) / 1e6);
      expect(Number(labelOf(sample, 'thread id')?.num)).toBe(name === 'node' ? 1000 : 1001);
    }
    expect(Object.fromEntries(byThread)).toEqual({ node: 72, 'worker 1': 40 });
  });

  test('every frame is a location, what was inlined too; lines are those that were sampled', () => {
    const functions = new Map(decoded.function.map((each) => [Number(each.id), each]));
    const lines = decoded.location.map(({ line }) =>
      line.map((each) => `${text(functions.get(Number(each.functionId))?.name ?? 0)}:${each.line}`),
    );
    expect(lines).toEqual(expect.arrayContaining([['small:40'], ['hot:22'], ['main:1'], ['(garbage collector):0']]));
    const hot = decoded.function.find(({ name }) => text(name) === 'hot');
    expect([text(hot?.filename ?? 0), Number(hot?.startLine)]).toEqual(['/srv/app/main.js', 20]);
  });

  test('mappings have file and build id', () => {
    const mapping = decoded.mapping.find(({ filename }) => text(filename) === '/usr/lib/libz.so.1');
    expect([text(mapping?.buildId ?? 0), Number(mapping?.memoryStart), Number(mapping?.memoryLimit)]).toEqual([
      'c0ffee',
      4096,
      8192,
    ]);
  });
});

test.each(EXTENSIONS)('what is written as .%s is read again with the same times', async (extension) => {
  const file = await PROFILE.write(inFolder(`back.${extension}`), { view: 'full' });
  const again = await spprof.readProfile(file);
  const isOneThread = extension.startsWith('cpuprofile');
  const expected = isOneThread ? PROFILE.filter({ threadIds: [0] }) : PROFILE;
  expect(again.cpuNs).toBe(expected.cpuNs);
  const selfOf = (/** @type {Profile} */ profile, /** @type {string} */ name) =>
    profile.functions.filter(({ functionName }) => functionName === name).reduce((sum, { selfNs }) => sum + selfNs, 0);
  for (const name of ['main', 'hot', 'small', 'deflate', 'ArrayMap', '(garbage collector)']) {
    expect([name, selfOf(again, name)]).toEqual([name, selfOf(expected, name)]);
  }
});

test('toSpeedscope() is what the file holds; toCollapsed() too', async () => {
  const file = await PROFILE.write(inFolder('same.speedscope.json'));
  expect(PROFILE.toSpeedscope()).toEqual(JSON.parse(fs.readFileSync(file, 'utf8')));
  expect(PROFILE.toSpeedscope().profiles.map(({ name, endValue }) => [name, endValue])).toEqual([
    ['node (main, 1000)', 72e6],
    ['worker 1 (worker, 1001)', 40e6],
  ]);
  const collapsed = await PROFILE.write(inFolder('same.folded.gz'));
  expect(zlib.gunzipSync(fs.readFileSync(collapsed)).toString()).toBe(PROFILE.toCollapsed());
});

test('Markdown is a table that no name breaks out of', async () => {
  const file = await new Profile(recordingOf([{ atMs: 1, cpuMs: 1, stack: [js('a|b`c<d>')] }])).write(inFolder('a.md'));
  expect(fs.readFileSync(file, 'utf8')).toContain('| 100.0 % | 1.0 | 100.0 % | a\\|b\\`c\\<d\\> | /app/main.js:10 |');
});

describe('speedscope’s own app', () => {
  const RELEASE = path.join(path.dirname(require.resolve('speedscope/package.json')), 'dist', 'release');
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {http.Server} */
  let server;
  beforeAll(async () => {
    browser = /** @type {import('playwright-core').Browser} */ (await launchBrowser());
    const types = /** @type {Record<string, string>} */ ({
      '.html': 'text/html',
      '.js': 'text/javascript',
      '.css': 'text/css',
    });
    server = http.createServer((request, response) => {
      const file = path.join(RELEASE, path.basename(new URL(request.url ?? '/', 'http://x').pathname) || 'index.html');
      if (!fs.existsSync(file)) return response.writeHead(404).end();
      response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
      return response.end(fs.readFileSync(file));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  browserTest.each(['cpuprofile', 'pb.gz', 'speedscope.json', 'collapsed'])(
    'opens our .%s and shows our functions',
    async (extension) => {
      const file = await PROFILE.write(inFolder(`shown.${extension}`));
      const page = await browser.newPage();
      /** @type {string[]} */
      const problems = [];
      page.on('pageerror', (error) => problems.push(error.message));
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.setInputFiles('input[type=file]', file);
      await page.getByText('Sandwich').click();
      await page.getByText('hot').first().waitFor({ timeout: 10_000 });
      const shown = await page.locator('body').textContent();
      for (const name of ['main', 'hot', 'small', 'deflate']) expect(shown).toContain(name);
      expect(problems).toEqual([]);
      await page.close();
    },
  );
});

describe('profiles of others', () => {
  /** @type {[string, string, string[]][]} */
  const FILES = [
    ['node.cpuprof.json', 'cpuprofile', ['parse', 'hot']],
    ['datadog.pb.gz', 'pprof', ['parse', 'hot']],
    ['perf-script.txt', 'perf script', ['hot', 'malloc']],
    ['perf.collapsed', 'collapsed', ['malloc', 'OPENSSL_strcasecmp']],
  ];
  test.each(FILES)('%s: report, tree, JSON, and every other format', (name, source, functions) => {
    const file = path.join(FIXTURES, name);
    const text = runCli(['report', file], { cwd: folder });
    expect({ status: text.status, stderr: text.stderr }).toEqual({ status: 0, stderr: '' });
    expect(text.stdout).toContain(`(read from ${source})`);
    for (const each of functions) expect(text.stdout).toContain(each);
    const json = JSON.parse(runCli(['report', '--json', file]).stdout);
    const inFunctions = json.functions.reduce(
      (/** @type {number} */ sum, /** @type {any} */ { selfNs }) => sum + selfNs,
      0,
    );
    expect(inFunctions).toBeLessThanOrEqual(json.cpuNs + 1);
    expect(inFunctions).toBeGreaterThan(0.9 * json.cpuNs); // the rest is (program)
    expect(runCli(['report', '--tree', '--threshold', '5', file]).stdout).toMatch(
      /^ {3}total {5}self {2}function\n 100\.0 %/,
    );
    const outputs = ['cpuprofile', 'pb.gz', 'speedscope.json', 'collapsed', 'html', 'txt', 'md'].map(
      (end) => `${source}.${end}`,
    );
    const converted = runCli(['convert', file, ...outputs.flatMap((output) => ['-o', output])], { cwd: folder });
    expect({ status: converted.status, stderr: converted.stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(runCli(['report', '--json', inFolder(outputs[1])]).stdout).cpuNs).toBeCloseTo(json.cpuNs, -3);
    const log = runCli(['convert', file, '-o', 'x.spprof'], { cwd: folder });
    expect([log.status, log.stderr]).toEqual([2, expect.stringMatching(/only a recording of spprof has a log\n$/)]);
  });

  test('two of them are compared by function: a table, JSON, and a page', () => {
    const [before, after] = ['node.cpuprof.json', 'datadog.pb.gz'].map((name) => path.join(FIXTURES, name));
    const table = runCli(['diff', before, after]);
    expect(table.stdout).toMatch(
      /^ {2}points {4}before {5}after {2}function \(self time\)\n {3}\+21\.8 {4}28\.2 % {4}50\.0 % {2}hot /,
    );
    const rows = JSON.parse(runCli(['diff', '--json', before, after]).stdout);
    expect(rows.find((/** @type {any} */ { functionName }) => functionName === 'parse').selfChange).toBeCloseTo(
      -0.125,
      2,
    );
    expect(runCli(['diff', '-o', 'change.html', before, after], { cwd: folder }).stdout).toBe(
      `${inFolder('change.html')}\n`,
    );
    expect(fs.readFileSync(inFolder('change.html'), 'utf8')).toContain('"isDifference":true');
  });

  test('a sort, a length and a thread can be chosen', () => {
    const file = inFolder('threads.pb.gz');
    fs.writeFileSync(file, PROFILE.toPprof());
    const own = runCli(['report', '--thread', 'worker 1', '--sort', 'total', '-n', '1', file]).stdout;
    expect(own).toMatch(/^1 sample, 40 ms of CPU time/m);
    const wrong = runCli(['report', '--thread', 'nobody', file]);
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/nobody.*node/)]);
  });
});

describe('files that are not what they should be', () => {
  /** @type {[string, string, RegExp][]} */
  const WRONG = [
    ['broken JSON', '{"nodes": [}', /line 1, column \d+: no JSON/],
    ['JSON of something else', '{"a": 1}', /neither a \.cpuprofile/],
    ['a node that is not there', '{"nodes":[],"samples":[7],"timeDeltas":[0]}', /samples\[0\]: there is no node 7/],
    ['too few times', '{"nodes":[],"samples":[7],"timeDeltas":[]}', /timeDeltas: 1 samples need as many, not 0/],
    [
      'a name that is no text',
      '{"nodes":[{"id":1,"callFrame":{"functionName":5}}],"samples":[1],"timeDeltas":[0]}',
      /nodes\[0\]\.callFrame\.functionName: a string is expected/,
    ],
    [
      'a node above itself',
      '{"nodes":[{"id":1,"children":[1],"callFrame":{"functionName":"a"}}],"samples":[1],"timeDeltas":[0]}',
      /above itself/,
    ],
    [
      'times beyond all measure',
      '{"nodes":[{"id":1,"callFrame":{"functionName":"a"}}],"samples":[1,1,1],"timeDeltas":[0,-1e308,9],"endTime":9}',
      /timeDeltas\[1\]: -1e\+308 is no time in microseconds/,
    ],
    [
      'weights beyond all measure',
      '{"shared":{"frames":[{"name":"a"}]},"profiles":[{"type":"sampled","unit":"seconds","samples":[[0]],"weights":[1e305]}]}',
      /sample 1: its time, or the sum up to it, is more than a profile can hold/,
    ],
    ['prose', 'Dear reader,\nthis is no profile\n', /line 1: "frame;frame count" is expected, not "Dear reader,"/],
    ['nothing', '', /it is empty/],
    ['half a gzip', zlib.gzipSync('a;b 1\n').subarray(0, 15).toString('latin1'), /it is not whole/],
    ['speedscope without frames', '{"shared":{},"profiles":[]}', /shared\.frames: an array is expected/],
  ];
  test.each(WRONG)('%s: one line that says where', (_, content, message) => {
    const file = inFolder('wrong');
    fs.writeFileSync(file, content, 'latin1');
    const { status, stdout, stderr } = runCli(['report', file]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a start that is no date', () => {
    const { RecordingBuilder } = require('../../lib/importers/recording-builder');
    expect(() => new RecordingBuilder().build({ source: 'x', startTimeMs: 1e60 })).toThrow(
      /its start: 1e\+60 ms is no date/,
    );
  });

  // SPPROF_TEST_ROUNDS: how many (300; more for a campaign).
  test('whatever is damaged is read or refused, and nothing else', async () => {
    const seed = Number(process.env.SPPROF_TEST_SEED ?? Date.now() % 1e6);
    const chance = random(seed);
    const files = fs.readdirSync(FIXTURES).filter((name) => !name.endsWith('.md'));
    const originals = files.map((name) => fs.readFileSync(path.join(FIXTURES, name)));
    originals.push(
      zlib.gunzipSync(originals[files.indexOf('datadog.pb.gz')]),
      Buffer.from(JSON.stringify(PROFILE.toSpeedscope())),
    );
    const file = inFolder('damaged');
    for (let round = 0; round < Number(process.env.SPPROF_TEST_ROUNDS ?? 300); round++) {
      const bytes = Buffer.from(originals[Math.floor(chance() * originals.length)]);
      const damaged = chance() < 0.3 ? bytes.subarray(0, Math.floor(chance() * bytes.length)) : bytes;
      for (let k = Math.floor(chance() * 8); k > 0 && damaged.length > 0; k--) {
        damaged[Math.floor(chance() * damaged.length)] = Math.floor(chance() * 256);
      }
      fs.writeFileSync(file, damaged);
      try {
        const profile = await readProfile(file);
        expect(profile.functions.every(({ selfNs }) => !Number.isNaN(selfNs))).toBe(true);
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (code !== 'ERR_SPPROF_INPUT')
          throw new Error(`seed ${seed}, round ${round}: ${/** @type {any} */ (error).stack}`);
      }
    }
  });
});

test('a stack of 100,000 frames, and 200,000 samples, go through every format', async () => {
  const depth = 100_000;
  const count = 200_000;
  const frames = Array.from({ length: 100 }, (_, i) => js(`deep${i}`, { line: i + 1 }));
  const recording = {
    ...recordingOf([{ atMs: 1, cpuMs: 1, stack: [MAIN] }]),
    ...{ frames, stackParents: Uint32Array.from({ length: depth + 1 }, (_, i) => Math.max(0, i - 1)) },
    stackFrames: Uint32Array.from({ length: depth + 1 }, (_, i) => i % 100),
    sampleThreads: new Uint32Array(count),
    sampleTimes: Float64Array.from({ length: count }, (_, i) => i * 1e6),
    sampleCpuNs: new Float64Array(count).fill(1e6),
    sampleWallNs: new Float64Array(count).fill(1e6),
    // One is as deep as can be, the others are near the root.
    sampleStacks: Uint32Array.from({ length: count }, (_, i) => (i === 0 ? depth : 1 + (i % 50))),
    sampleStates: new Uint8Array(count),
    sampleBlocks: new Uint32Array(count),
    durationNs: count * 1e6,
  };
  const profile = new Profile(recording);
  for (const extension of ['cpuprofile', 'pb.gz', 'speedscope.json.gz', 'collapsed', 'html', 'md']) {
    const file = await profile.write(inFolder(`deep.${extension}`));
    if (extension === 'pb.gz') expect((await spprof.readProfile(file)).cpuNs).toBe(count * 1e6);
  }
}, 120_000);
