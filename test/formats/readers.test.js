'use strict';

/** What files of other profilers mean: units, threads, lines, names and places; and what is said where they do not tell. */

const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const pprof = require('pprof-format');
const spprof = require('../../lib/index');
const { Profile } = require('../../lib/profile/profile');
const { builtin, js, native, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const FIXTURES = path.join(__dirname, '..', 'fixtures', 'profiles');
let files = 0;

/** @param {string | Uint8Array} content */
function read(content) {
  const file = path.join(folder, `input-${files++}`);
  fs.writeFileSync(file, content);
  return spprof.readProfile(file);
}

/** @param {Profile} profile */
const rows = (profile) =>
  profile.functions.map(({ functionName, url, line, module, selfNs }) => [functionName, url, line, module, selfNs]);

describe('pprof', () => {
  /** @param {[string, string][]} types @param {(number | bigint)[]} value @param {object} [more] */
  function profileOf(types, value, more = {}) {
    const strings = new pprof.StringTable();
    const text = (/** @type {string} */ each) => strings.dedup(each);
    return new pprof.Profile({
      sampleType: types.map(([type, unit]) => ({ type: text(type), unit: text(unit) })),
      sample: [{ locationId: [1], value }],
      mapping: [{ id: 1, filename: text('/usr/bin/app') }],
      location: [{ id: 1, mappingId: 1, line: [{ functionId: 1, line: 12 }] }],
      function: [{ id: 1, name: text('main.work'), filename: text('/src/main.go'), startLine: 10 }],
      stringTable: strings,
      ...more,
    }).encode();
  }

  test('of Go’s runtime, whose fields come in another order, with file and line in a mapping', async () => {
    const profile = await spprof.readProfile(path.join(FIXTURES, 'go-cpu.pb.gz'));
    expect(profile.cpuNs).toBe(400e6);
    expect(profile.functions[0]).toMatchObject({
      ...{ functionName: 'runtime.scanobject', line: 1312, kind: 'native' },
      url: expect.stringMatching(/mgcmark\.go$/),
    });
  });

  test('of a heap is in bytes, and stays so in every format that can hold it', async () => {
    const file = path.join(FIXTURES, 'go-heap.pb.gz');
    const profile = await spprof.readProfile(file);
    expect(profile.measure).toEqual({ name: 'inuse space', unit: 'bytes' });
    expect(profile.toText()).toMatch(/^30 samples, 1\.1 MB of inuse space \(read from pprof\)\n +self +self kB/m);
    for (const end of ['pb.gz', 'collapsed', 'speedscope.json']) {
      const again = await spprof.readProfile(await profile.write(path.join(folder, `heap.${end}`)));
      expect([end, again.measure.unit, again.cpuNs]).toEqual([end, 'bytes', profile.cpuNs]);
    }
    const { status, stderr } = runCli(['convert', file, '-o', 'heap.cpuprofile'], { cwd: folder });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/holds times, and these are bytes/)]);
  });

  test.each([
    [
      [
        ['samples', 'count'],
        ['cpu', 'nanoseconds'],
      ],
      [3, 7000],
      'CPU time',
      'nanoseconds',
      7000,
    ],
    [
      [
        ['sample', 'count'],
        ['wall', 'microseconds'],
      ],
      [3, 7],
      'wall time',
      'nanoseconds',
      7000,
    ],
    [
      [
        ['objects', 'count'],
        ['space', 'bytes'],
      ],
      [3, 7],
      'space',
      'bytes',
      7,
    ],
    [
      [
        ['contentions', 'count'],
        ['delay', 'ms'],
      ],
      [3, 7],
      'delay',
      'nanoseconds',
      7e6,
    ],
    [[['goroutine', 'count']], [3], 'goroutine', 'count', 3],
    [[['cycles', 'gcu']], [3], 'cycles (gcu)', 'count', 3],
    [[['space', 'kilobytes']], [3], 'space', 'bytes', 3072],
  ])('%j is what the file says', async (types, value, name, unit, sum) => {
    const profile = await read(profileOf(/** @type {[string, string][]} */ (types), value));
    expect([profile.measure, profile.cpuNs]).toEqual([{ name, unit }, sum]);
  });

  test('a difference has negative values; formats that cannot hold them say so', async () => {
    const profile = await read(profileOf([['cpu', 'nanoseconds']], [BigInt.asUintN(64, -5_000_000n)]));
    expect(profile.cpuNs).toBe(-5e6);
    expect(profile.toText()).toMatch(/-5 ms of CPU time[\s\S]*-5\.0 [\s\S]*\n *note +1 value below zero: /);
    expect(() => profile.toCpuProfile()).toThrow(/negative/);
    await expect(profile.write(path.join(folder, 'n.html'))).rejects.toMatchObject({ code: 'ERR_SPPROF_OUTPUT' });
    expect((await read(profile.toPprof())).cpuNs).toBe(-5e6);
  });

  test('how many samples its sums stand for is said', async () => {
    const profile = await read(
      profileOf(/** @type {*} */ (['samples/count', 'cpu/ns'].map((each) => each.split('/'))), [40, 4e8]),
    );
    expect(profile.toText()).toMatch(/\n *note +the file adds up .*: it stands for 40 samples\n/);
  });

  test('samples of a timer alone stand for its period, and the report says so', async () => {
    const strings = new pprof.StringTable();
    const [samples, count, cpu, ns, name] = ['samples', 'count', 'cpu', 'nanoseconds', 'f'].map((each) =>
      strings.dedup(each),
    );
    const profile = await read(
      new pprof.Profile({
        ...{ sampleType: [{ type: samples, unit: count }], periodType: { type: cpu, unit: ns }, period: 10_000_000 },
        ...{ sample: [{ locationId: [1], value: [3] }], location: [{ id: 1, line: [{ functionId: 1, line: 1 }] }] },
        ...{ function: [{ id: 1, name }], stringTable: strings },
      }).encode(),
    );
    expect([profile.measure.name, profile.cpuNs]).toEqual(['CPU time', 30e6]);
    expect(profile.toText()).toMatch(/note +the file counts samples; each is taken for its period/);
  });
});

describe('collapsed stacks', () => {
  test('of others begin with a function, and count', async () => {
    const profile = await read('main (app.py:1);work (app.py:10) 60\nmain (app.py:1);other (app.py:30) 40\n');
    expect(rows(profile).map(([name, , , , self]) => [name, self])).toEqual([
      ['work (app.py:10)', 60],
      ['other (app.py:30)', 40],
      ['main (app.py:1)', 0],
    ]);
    expect([profile.threads.length, profile.measure]).toEqual([1, { name: 'samples', unit: 'count' }]);
    expect(profile.toText()).toMatch(/note +the file does not say what its counts are/);
  });

  test('have threads where they are marked: async-profiler’s, ours, and ours as they were', async () => {
    const names = async (/** @type {string} */ text) => (await read(text)).threads.map(({ name, tid }) => [name, tid]);
    expect(await names('[main tid=7];Foo.bar_[j] 3\n[pool 1 tid=8];Foo.bar_[j] 3\n')).toEqual([
      ['main', 7],
      ['pool 1', 8],
    ]);
    expect(await names('[node main tid=7 us];f /a.js:1_[j] 3\n')).toEqual([['node', 7]]);
    expect(await names('node;f /a.js:1_[j] 3\nworker 1;g /a.js:2_[j] 3\n')).toEqual([
      ['node', 0],
      ['worker 1', 0],
    ]);
  });

  test.each([
    ['UTF-8', Buffer.from('\ufeffmain;a 10\nmain;b 20\n')],
    ['UTF-16', Buffer.from('\ufeffmain;a 10\r\nmain;b 20\r\n', 'utf16le')],
  ])('may begin with the byte order mark of %s', async (_, bytes) => {
    expect(rows(await read(bytes)).map(([name]) => name)).toEqual(['b', 'a', 'main']);
  });

  test('keep names and paths with blanks, parentheses, per cent signs and NUL', async () => {
    const places = [
      '/srv/my app/a b.js',
      '/srv/100%20/x.js',
      '\0virtual:plugin',
      'file:///srv/my%20app/m.mjs',
      'rel ative.js',
      '/a;b/c.js',
    ];
    const names = ['hot', 'get size', 'GET /users', ''];
    const frames = places.flatMap((url, i) => names.map((name, k) => js(name, { url, line: 10 * i + k + 1 })));
    const stack = [...frames, native('std::function<void (int)>::operator()(int) const'), js('no place', { url: '' })];
    const again = await read(new Profile(recordingOf([{ atMs: 1, cpuMs: 1, stack }])).toCollapsed({ view: 'full' }));
    const path_ = (/** @type {string} */ url) => (url.startsWith('file:') ? '/srv/my app/m.mjs' : url);
    const found = rows(again).map(([name, url, line]) => `${name}|${url}|${line}`);
    for (const { functionName, url, line } of frames)
      expect(found).toContain(`${functionName || '(anonymous)'}|${path_(url)}|${line}`);
    expect(found).toEqual(
      expect.arrayContaining(['std::function<void (int)>::operator()(int) const||0', 'no place||0']),
    );
  });
});

describe('perf script', () => {
  const HEAD = 'node 10/10 5.000000: 250000 cpu-clock:ppp: \n';
  test('splits frames at the last place that can be a module’s', async () => {
    const profile = await read(
      `${HEAD}\t  1 std::function<void (int)>::operator()(int) const+0x15 (/usr/bin/node)\n` +
        '\t  2 foo(int) (/srv/my app (copy)/x.so)\n\t  3 [unknown] (/tmp/a (deleted))\n' +
        '\t  4 JS:*get size /srv/my app/server.js:10:5 (/tmp/perf-1.map)\n',
    );
    expect(
      rows(profile)
        .map((row) => row.slice(0, 4))
        .sort(),
    ).toEqual([
      ['0x3', '', 0, '/tmp/a (deleted)'],
      ['foo(int)', '', 0, '/srv/my app (copy)/x.so'],
      ['get size', '/srv/my app/server.js', 10, ''],
      ['std::function<void (int)>::operator()(int) const', '', 0, '/usr/bin/node'],
    ]);
  });

  test('without call chains has one frame a sample', async () => {
    const line = (/** @type {number} */ at) =>
      `     cafe  7  5.00000${at}:  250000 cpu-clock:pppH:   1b7b f+0x0 (/usr/bin/node)\n`;
    expect(rows(await read(line(1) + line(2)))).toEqual([['f', '', 0, '/usr/bin/node', 500_000]]);
  });

  test('of a counter is in its counts, and of several events one is read', async () => {
    const text = `${HEAD}\t 1 f (/x)\n\nnode 10/10 5.1: 700 cycles:P: \n\t 2 g (/x)\n`;
    const both = await read(text);
    expect([both.cpuNs, both.stats.warnings]).toEqual([
      250_000,
      [expect.stringMatching(/left out are the samples of cycles:P \(1\)/)],
    ]);
    const cycles = await read(text.slice(text.indexOf('\n\n') + 2));
    expect([cycles.cpuNs, cycles.measure]).toEqual([700, { name: 'cycles', unit: 'count' }]);
  });

  test('takes time in proportion to the length of its lines', async () => {
    for (const long of [
      `x ${' '.repeat(1e6)}`,
      `\t 1 ${'a ('.repeat(3e5)}`,
      `\t 1 JS:*${'f '.repeat(5e5)} (/m)`,
      '1 '.repeat(5e5),
    ]) {
      await expect(read(`${HEAD}${long}y\n`)).rejects.toMatchObject({ code: 'ERR_SPPROF_INPUT' });
      await read(`${HEAD}\t 1 ${long.trim()}+0x1 (/m)\n`);
    }
  });
});

describe('speedscope', () => {
  const file = (/** @type {object} */ profile) =>
    JSON.stringify({
      shared: { frames: [{ name: 'a' }, { name: 'b' }] },
      profiles: [{ name: 't', unit: 'milliseconds', startValue: 0, ...profile }],
    });
  const evented = (/** @type {[string, number, number][]} */ events, endValue = 100) =>
    file({ type: 'evented', endValue, events: events.map(([type, at, frame]) => ({ type, at, frame })) });

  test('a frame that is open at the end has the time up to there', async () => {
    expect(
      (
        await read(
          evented([
            ['O', 0, 0],
            ['O', 10, 1],
          ]),
        )
      ).cpuNs,
    ).toBe(100e6);
  });

  test.each([
    [
      'closed out of order',
      evented([
        ['O', 0, 0],
        ['O', 10, 1],
        ['C', 20, 0],
      ]),
      /events\[2\]: frame 0 is closed, and the innermost one that is open is 1/,
    ],
    [
      'back in time',
      evented([
        ['O', 5, 0],
        ['C', 3, 0],
      ]),
      /events\[1\]: it is at 3, and the one before it at 5/,
    ],
    [
      'infinite',
      file({ type: 'sampled', samples: [[0]], weights: [1] }).replace('[1]', '[1e999]'),
      /a weight of 0 or more/,
    ],
    [
      'endless in sum',
      file({ type: 'sampled', samples: [[0], [0]], weights: [1e308, 1e308] }),
      /more than a profile can hold/,
    ],
    ['of few weights', file({ type: 'sampled', samples: [[0], [0]], weights: [1] }), /2 samples need as many, not 1/],
  ])('%s is refused', async (_, text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ERR_SPPROF_INPUT',
      message: expect.stringMatching(message),
    });
  });

  test('of bytes is no time', async () => {
    const profile = await read(file({ type: 'sampled', unit: 'bytes', samples: [[0]], weights: [2 ** 30] }));
    expect(profile.toText()).toMatch(/^1 sample, 1\.07 GB of memory/m);
  });
});

describe('.cpuprofile', () => {
  const nodes = [
    { id: 1, callFrame: { functionName: '(root)', url: '' }, children: [2] },
    {
      id: 2,
      callFrame: { functionName: 'f', url: '/a.js', lineNumber: 0 },
      positionTicks: [
        { line: 2, ticks: 2 },
        { line: 3, ticks: 1 },
      ],
    },
  ];
  const file = (/** @type {number[]} */ timeDeltas, endTime = 100) =>
    JSON.stringify({ nodes, startTime: 0, endTime, samples: timeDeltas.map(() => 2), timeDeltas });

  test('its lines are kept', async () => {
    const profile = await read(file([0, 10, 10]));
    const [, own] = profile
      .toCpuProfile()
      .nodes.filter(({ callFrame }) => callFrame.functionName !== '(idle)')
      .slice(1);
    expect(profile.toCpuProfile().nodes.find(({ callFrame }) => callFrame.functionName === 'f')?.positionTicks).toEqual(
      nodes[1].positionTicks,
    );
    expect(own).toBeDefined();
  });

  test('samples out of order are put in order, and add up to the time', async () => {
    const profile = await read(file([0, 50, -10, 20]));
    expect([profile.cpuNs, profile.sampleCount]).toEqual([100_000, 4]);
    expect(profile.stats.warnings).toEqual([expect.stringMatching(/^1 sample came before the one ahead/)]);
  });

  test.each([[[-1e308]], [[1e308, 1e308]], [[1e300, -1e300]]])('times of %j are refused', async (deltas) => {
    await expect(read(file(deltas))).rejects.toMatchObject({
      code: 'ERR_SPPROF_INPUT',
      message: expect.stringMatching(/no time/),
    });
  });
});

test.each([
  ['[{"ph":"X","ts":1}]', /trace of Chrome's DevTools/],
  ['{"traceEvents":[{"ph":"X"}]}', /trace of Chrome's DevTools/],
  ['\ufeff{"a":1}', /JSON, and neither/],
  ['{"snapshot":{}}', /heap snapshot/],
  ['<!DOCTYPE html><html>', /HTML/],
  ['PERFILE2xxxx', /perf script makes a text of it/],
  ['PK\x03\x04xxxx', /ZIP/],
  ['node \n\t  17df62b f\n', /perf script without times/],
  ['a;b 10 20\n', /two counts a line/],
])('%j: the sentence says what it seems to be', async (text, message) => {
  await expect(read(text)).rejects.toMatchObject({ code: 'ERR_SPPROF_INPUT', message: expect.stringMatching(message) });
});

test('a recording against itself in any other format shows no difference', async () => {
  const MAIN = js('main', { url: '/srv/my app/main.js', line: 1 });
  const HOT = js('hot', { url: 'file:///srv/my%20app/hot.mjs', line: 20, column: 3 });
  const stacks = [
    [MAIN, HOT],
    [MAIN, js('')],
    [MAIN, native('deflate', '/usr/lib/libz.so.1')],
    [MAIN, builtin('ArrayMap')],
    [native('')],
  ];
  const samples = stacks.map((stack, i) => ({ atMs: 100 * (i + 1), cpuMs: 10 + i, stack }));
  const gc = { atMs: 700, cpuMs: 9, stack: [MAIN, HOT, native('Scavenge')], state: 1 };
  const profile = new Profile(recordingOf([...samples, gc, { atMs: 50, cpuMs: 40, stack: [HOT], thread: 1 }]));
  for (const end of ['cpuprofile', 'pb.gz', 'collapsed', 'speedscope.json']) {
    const again = await spprof.readProfile(await profile.write(path.join(folder, `self.${end}`)));
    for (const rows_ of [profile.diff(again), again.diff(profile)]) {
      const changed = rows_.filter(
        ({ selfChange, totalChange }) => Math.abs(selfChange) + Math.abs(totalChange) > 1e-6,
      );
      expect([end, changed.map(({ functionName }) => functionName)]).toEqual([end, []]);
    }
  }
});

test('what is compressed within is told by content too', async () => {
  expect((await read(zlib.gzipSync('a;b 1\n'))).cpuNs).toBe(1);
});
