'use strict';

/** Text of sources in the page: where it comes from, what it must not be, and how the page shows it. */

const fs = require('node:fs');
const path = require('node:path');
const { Profile } = require('../../lib/profile/profile');
const { sourceTexts } = require('../../lib/places/source-texts');
const { browserTest, launchBrowser } = require('../helpers/browser');
const { openPage } = require('../helpers/page');
const { js, recordingOf } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const LINES = Array.from({ length: 200 }, (_, i) => (i === 99 ? 'function hot() {' : `  step(${i + 1}); // <b>`));
const TEXT = LINES.join('\n');

/** @param {string} name @param {string} [text] */
function script(name, text = TEXT) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

/** 30 ms in line 102 and 10 in line 110 of a script. @param {string} url @param {Partial<import('../../binding').NativeFrame>} [more] */
function recordingIn(url, more = {}) {
  const at = (/** @type {number} */ sampledLine) =>
    js('hot', { url, line: 100, sampledLine, sourceLength: TEXT.length, ...more });
  const samples = [
    { atMs: 100, cpuMs: 30, stack: [at(102)] },
    { atMs: 900, cpuMs: 10, stack: [at(110)], thread: 1 },
  ];
  return recordingOf(samples, { startTimeMs: Date.now() + 60_000 });
}

test('the text is that of the lines around those with time', () => {
  const url = script('hot.js');
  expect(sourceTexts(recordingIn(url), new Map())).toEqual([
    { url, parts: [{ line: 75, lines: LINES.slice(74, 135) }] },
  ]);
});

test('a source map’s text comes first, whatever the file is', () => {
  const url = script('mapped.ts', 'something else');
  const [text] = sourceTexts(recordingIn(url, { sourceLength: 5 }), new Map([[url, TEXT]]));
  expect(text.parts).toEqual([{ line: 75, lines: LINES.slice(74, 135) }]);
});

test.each([
  { name: 'changed.js', text: 'another text', why: 'its file is another text than what ran' },
  { name: 'gone.js', text: null, why: 'its file is gone' },
  { name: 'secret.pem', text: TEXT, why: 'its file has no name of a script' },
  { name: 'newer.ts', text: TEXT, isMapped: true, startTimeMs: 1000, why: 'its file has been written since' },
  { name: 'unknown.js', text: TEXT, sourceLength: 0, why: 'it is not known what ran' },
])('$name has no text: $why', ({ name, text, why, isMapped, startTimeMs, sourceLength }) => {
  const url = text === null ? path.join(folder, name) : script(name, text);
  const recording = recordingIn(url, sourceLength === undefined ? {} : { sourceLength });
  const sources = new Map(isMapped ? [[url, null]] : []);
  expect(sourceTexts({ ...recording, ...(startTimeMs ? { startTimeMs } : {}) }, sources)).toEqual([{ url, why }]);
});

test('Node.js itself and code without a file have no text', () => {
  const whys = ['node:fs', 'evalmachine.<anonymous>'].map((url) => sourceTexts(recordingIn(url), new Map())[0].why);
  expect(whys).toEqual(['it is a part of Node.js', 'it has no file']);
});

test('text is bounded: long lines are cut, and no more than 4 MB are kept', () => {
  const line = 'x'.repeat(5000);
  const wide = Array.from({ length: 120 }, () => line).join('\n');
  const files = Array.from({ length: 120 }, (_, i) => script(`wide${i}.js`, wide));
  const samples = files.map((url, i) => ({
    ...{ atMs: i + 1, cpuMs: 200 - i },
    stack: [js('wide', { url, line: 60, sourceLength: wide.length })],
  }));
  const texts = sourceTexts(recordingOf(samples), new Map());
  const lines = texts.flatMap(({ parts = [] }) => parts.flatMap((part) => part.lines));
  expect(Math.max(...lines.map(({ length }) => length))).toBe(1000);
  const size = lines.reduce((sum, { length }) => sum + length + 1, 0);
  expect(size).toBeLessThan((4 << 20) + 51 * 1001);
  expect(size).toBeGreaterThan(4 << 20);
  expect(texts.at(-1)?.why).toBe('a page holds 4 MB of text at most');
  expect(texts[0].url).toBe(files[0]);
});

test('from the command: the text of a map is in the page, and --no-sources leaves it out', () => {
  const original = 'const wait = 400; // only in the map\nfor (const end = Date.now() + wait; Date.now() < end; );\n';
  const map = {
    ...{ version: 3, sources: ['loop.ts'], sourcesContent: [original], names: [] },
    // Each of the two lines is where it was.
    mappings: 'AAAA;AACA',
  };
  const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  const program = script(
    'loop.js',
    `const wait = 400;\nfor (const end = Date.now() + wait; Date.now() < end; );\n${comment}\n`,
  );
  const outputs = ['-o', 'with.html', '-o', 'loop.spprof'];
  const run = runCli(['-q', ...outputs, program], { cwd: folder });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  const read = (/** @type {string} */ name) => fs.readFileSync(path.join(folder, name), 'utf8');
  expect(read('with.html')).toContain('only in the map');
  const without = runCli(['convert', 'loop.spprof', '--no-sources', '-o', 'without.html'], { cwd: folder });
  expect({ status: without.status, stderr: without.stderr }).toEqual({ status: 0, stderr: '' });
  expect(read('without.html')).not.toContain('only in the map');
});

test('a page of another profiler’s file has no text of this machine’s files', async () => {
  const url = script('named.js');
  await new Profile(recordingIn(url)).write(path.join(folder, 'named.cpuprofile'));
  const profile = await require('../../lib/index').readProfile(path.join(folder, 'named.cpuprofile'));
  expect(profile.toFlameGraph()).not.toContain('step(101)');
  expect(new Profile(recordingIn(url)).toFlameGraph()).toContain('step(101)');
});

describe('in the browser', () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  beforeAll(async () => {
    browser = /** @type {import('playwright-core').Browser} */ (await launchBrowser());
  });
  afterAll(() => browser?.close());

  browserTest('lines have the time of what is chosen', async () => {
    const file = await new Profile(recordingIn(script('shown.js'))).write(path.join(folder, 'shown.html'));
    const { page, rows, clickFrame, problems } = await openPage(browser, file);
    await clickFrame('hot');
    await page.keyboard.press('l');
    const timed = async () => (await rows('source')).filter((row) => /%/.test(row));
    expect(await page.locator('#source-title').textContent()).toBe(`hot, ${path.join(folder, 'shown.js')}:100`);
    expect(await timed()).toEqual(['75.0 %75.0 %102 step(102); // <b>', '25.0 %25.0 %110 step(110); // <b>']);
    expect(await page.locator('#source [aria-selected=true]').textContent()).toContain('step(102)');
    await page.selectOption('#thread', { index: 2 });
    expect(await timed()).toEqual(['100.0 %100.0 %110 step(110); // <b>']);
    expect(problems).toEqual([]);
  });

  browserTest('without the text there are the lines, and why', async () => {
    const gone = recordingIn(path.join(folder, 'never.js'));
    const file = await new Profile(gone).write(path.join(folder, 'gone.html'));
    const { page, rows } = await openPage(browser, file, { link: 'tab=source&function=0' });
    expect(await rows('source')).toEqual(['75.0 %75.0 %102', '25.0 %25.0 %110']);
    expect(await page.locator('#source-note').textContent()).toBe('The text is not here: its file is gone.');
    const bare = await new Profile(gone, { sources: null }).write(path.join(folder, 'bare.html'));
    const second = await openPage(browser, bare, { link: 'tab=source&function=0' });
    expect(await second.page.locator('#source-note').textContent()).toBe(
      'The text is not here: the page was written without sources.',
    );
  });
});
