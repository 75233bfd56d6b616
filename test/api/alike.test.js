'use strict';

/** What looks alike and is not: functions on one line, long names; and what is the same and looks different: a program in another folder. */

const path = require('node:path');
const spprof = require('../../lib/index');
const { compareFunctions } = require('../../lib/recording/compare');
const { movedFiles } = require('../../lib/recording/moved-files');
const { Profile } = require('../../lib/profile/profile');
const { js, native, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

const BUNDLE = { url: '/srv/bundle.min.js', line: 1 };
const TOP = js('', { ...BUNDLE, column: 1 });
const FIRST = js('run', { ...BUNDLE, column: 13 });
const SECOND = js('run', { ...BUNDLE, column: 46 });
const APART = js('other', { url: '/srv/other.js', line: 1, column: 9 });

/** @param {number} first @param {number} second */
function minified(first, second) {
  return recordingOf([
    { atMs: 100, cpuMs: first, stack: [TOP, FIRST] },
    { atMs: 200, cpuMs: second, stack: [TOP, SECOND] },
    { atMs: 300, cpuMs: 5, stack: [APART] },
  ]);
}

/** @param {spprof.Profile} profile @returns {Record<string, number>} self time by place, ms */
function runsOf({ functions }) {
  const runs = functions.filter(({ functionName }) => functionName === 'run');
  return Object.fromEntries(runs.map(({ line, column, selfNs }) => [`${line}:${column}`, Math.round(selfNs / 1e6)]));
}

describe('functions on one line', () => {
  const profile = new Profile(minified(80, 20));

  test.each(['cpuprofile', 'pb.gz', 'pb', 'speedscope.json', 'collapsed'])('stay two in .%s', async (extension) => {
    const file = path.join(folder, `two.${extension}`);
    await profile.write(file);
    expect(runsOf(await spprof.readProfile(file))).toEqual({ '1:13': 80, '1:46': 20 });
  });

  test('are shown with their columns, others are not', () => {
    for (const text of [profile.toText(), profile.toTree(), profile.toCollapsed(), profile.toMarkdown?.() ?? '']) {
      if (text === '') continue;
      expect(text).toMatch(/bundle\.min\.js:1:13(?!\d)/);
      expect(text).toMatch(/bundle\.min\.js:1:46(?!\d)/);
      expect(text).toMatch(/other\.js:1(?!:)/);
    }
    const page = profile.toFlameGraph();
    expect(page).toContain('/srv/bundle.min.js:1:13');
    expect(page).toContain('/srv/bundle.min.js:1:46');
    expect(page).not.toContain('/srv/other.js:1:');
  });

  test('are compared each with itself', () => {
    const rows = compareFunctions(minified(80, 20), minified(20, 80)).filter(
      ({ functionName }) => functionName === 'run',
    );
    expect(rows.map(({ column, selfChange }) => [column, Math.sign(selfChange)]).sort()).toEqual([
      [13, -1],
      [46, 1],
    ]);
  });
});

describe('a table', () => {
  test('names no thread of functions that have no self time', () => {
    const text = new Profile(
      recordingOf([
        { atMs: 1, cpuMs: 5, stack: [TOP, FIRST] },
        { atMs: 2, cpuMs: 5, stack: [APART], thread: 1 },
      ]),
    ).toText({ sort: 'total' });
    expect(text).not.toContain('[]');
    expect(text).toMatch(/\(anonymous\) .*bundle\.min\.js:1:1\n/);
    expect(text).toMatch(/run .*bundle\.min\.js:1:13 {2}\[main\]\n/);
  });

  test('shortens no two names to one', () => {
    const [a, b] = ['A', 'B'].map((middle) =>
      native(`${'x'.repeat(30)}${middle.repeat(40)}${'y'.repeat(30)}`, '/lib/a.so'),
    );
    const lines = new Profile(
      recordingOf([
        { atMs: 1, cpuMs: 6, stack: [a] },
        { atMs: 2, cpuMs: 5, stack: [b] },
      ]),
    )
      .toText({ view: 'full' })
      .split('\n')
      .filter((line) => line.startsWith(' ') && line.includes('a.so'));
    expect(
      new Set(
        lines.map((line) =>
          line
            .trim()
            .split(/\s{2,}/)
            .at(-2),
        ),
      ).size,
    ).toBe(2);
  });
});

test('a program in another folder is the same one', () => {
  const at = (/** @type {string} */ root) =>
    recordingOf([
      {
        atMs: 1,
        cpuMs: 50,
        stack: [js('main', { url: `${root}/src/main.js` }), js('work', { url: `file://${root}/src/work.mjs` })],
      },
      { atMs: 2, cpuMs: 50, stack: [js('send', { url: `${root}/node_modules/express/lib/response.js` })] },
      ...(root === '/one' ? [{ atMs: 3, cpuMs: 20, stack: [js('gone', { url: `${root}/src/gone.js` })] }] : []),
    ]);
  const rows = compareFunctions(at('/one'), at('/srv/ci/two'));
  const known = rows.filter(({ before, after }) => before.totalNs > 0 && after.totalNs > 0);
  expect(known.map(({ functionName, url }) => [functionName, url]).sort()).toEqual([
    ['main', '/srv/ci/two/src/main.js'],
    ['send', '/srv/ci/two/node_modules/express/lib/response.js'],
    ['work', '/srv/ci/two/src/work.mjs'],
  ]);
  expect(rows.filter(({ after }) => after.totalNs === 0).map(({ functionName }) => functionName)).toEqual(['gone']);
});

describe('which files have moved', () => {
  test('none of a program that is where it was', () => {
    expect(movedFiles(['/a/x.js', '/a/y.js'], ['/a/x.js', '/a/z.js', '/b/x.js'])).toEqual(new Map());
  });

  test('those of the folder that most agree on', () => {
    const names = ['index.js', 'lib/a.js', 'lib/b.js', 'node_modules/p/index.js'];
    const moved = movedFiles(
      names.map((name) => `/w1/${name}`),
      [...names.map((name) => `/w/2/${name}`), '/w/2/node_modules/q/index.js'],
    );
    expect(moved).toEqual(new Map(names.map((name) => [`/w1/${name}`, `/w/2/${name}`])));
  });

  test('packages of another version in a store', () => {
    const store = (/** @type {string} */ version) => `/app/node_modules/.pnpm/p@${version}/node_modules/p/index.js`;
    expect(movedFiles(['/app/main.js', store('1')], ['/app/main.js', store('2')])).toEqual(
      new Map([[store('1'), store('2')]]),
    );
  });

  test('thousands of files of one name do not take long', () => {
    const files = (/** @type {string} */ root) => Array.from({ length: 5000 }, (_, i) => `${root}/${i}/index.js`);
    const start = process.cpuUsage();
    expect(movedFiles(files('/a'), files('/b')).size).toBeGreaterThan(0);
    expect(process.cpuUsage(start).user).toBeLessThan(5e6);
  });
});

test('the command compares minified code by its columns', () => {
  const [before, after] = ['before.cpuprofile', 'after.cpuprofile'];
  return Promise.all([
    new Profile(minified(80, 20)).write(path.join(folder, before)),
    new Profile(minified(20, 80)).write(path.join(folder, after)),
  ]).then(() => {
    const { stdout } = runCli(['diff', before, after], { cwd: folder });
    expect(stdout).toMatch(/run\s+.*bundle\.min\.js:1:13/);
    expect(stdout).toMatch(/run\s+.*bundle\.min\.js:1:46/);
  });
});
