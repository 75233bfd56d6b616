'use strict';

/** The views of the page in a real browser: each is compared with what the profile itself says. */

const path = require('node:path');
const { Profile } = require('../../lib/profile/profile');
const { browserTest: test, launchBrowser } = require('../helpers/browser');
const { openPage } = require('../helpers/page');
const { js, native, recordingOf } = require('../helpers/recording');
const { temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
/** A sample in garbage collection. */
const IN_COLLECTION = 1;

const MAIN = js('main', { url: '/srv/app/main.js' });
const FIRST = js('first', { url: '/srv/app/main.js', line: 20 });
const SECOND = js('second', { url: '/srv/app/main.js', line: 30 });
const SHARED = js('shared', { url: '/srv/app/shared.js', line: 5 });
const PARSE = js('parse', { url: '/srv/app/node_modules/parser/index.js', line: 3 });
const READ = native('read', '/lib/libc.so.6');
const RECORDING = recordingOf(
  [
    { atMs: 100, cpuMs: 10, stack: [MAIN, FIRST, SHARED] },
    { atMs: 200, cpuMs: 20, stack: [MAIN, SECOND, SHARED, PARSE] },
    { atMs: 300, cpuMs: 5, stack: [MAIN, SECOND, SHARED, PARSE], state: IN_COLLECTION },
    // Recursive: shared counts once.
    { atMs: 400, cpuMs: 25, stack: [MAIN, SHARED, FIRST, SHARED, READ] },
    { atMs: 900, cpuMs: 40, stack: [SECOND], thread: 1 },
  ],
  {
    marks: [
      { timeNs: 250e6, tid: 1000, name: 'deployed', detail: '{"to":"<b>"}' },
      { timeNs: 900e6, tid: 1001, name: 'done', detail: '' },
    ],
  },
);

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let file;
beforeAll(async () => {
  browser = /** @type {import('playwright-core').Browser} */ (await launchBrowser());
  file = await new Profile(RECORDING).write(path.join(folder, 'views.html'));
});
afterAll(() => browser?.close());
const open = (/** @type {any} */ settings = {}) => openPage(browser, file, settings);

test('categories are those of the profile, add up to 100 %, and filter every view', async () => {
  const { page, numbers, names, rows, problems } = await open();
  const chips = page.locator('#chips .chip');
  const shown = (await chips.allTextContents()).map((text) => text.replace(/ %$/, '').split(/ (?=[\d.]+$)/));
  const expected = new Profile(RECORDING).categories;
  expect(shown).toEqual(expected.map(({ name, percent }) => [name, percent.toFixed(1)]));
  expect(shown.reduce((sum, [, percent]) => sum + Math.round(10 * Number(percent)), 0)).toBe(1000);
  await chips.filter({ hasText: 'dependencies' }).click();
  const [dependencies] = expected.filter(({ name }) => name === 'dependencies');
  expect((await numbers()).total).toBe(dependencies.ns);
  expect(await names()).toEqual(['all', 'main', 'second', 'shared', 'parse']);
  await page.click('#tab-functions');
  expect((await rows('functions'))[0]).toMatch(/^100\.0 %20\.0 ms100\.0 %20\.0 msparse/);
  expect(await chips.filter({ hasText: 'dependencies' }).getAttribute('aria-pressed')).toBe('true');
  await chips.filter({ hasText: 'dependencies' }).press('Enter');
  expect((await numbers()).total).toBe(100e6);
  expect(problems).toEqual([]);
});

test('the sandwich has all callers and callees of a function, its recursion counted once', async () => {
  const { page, frames, problems } = await open();
  await page.fill('#search', 'shared');
  await page.keyboard.press('Escape');
  await page.click('#tab-functions');
  await page.click('#panel-functions button.name >> text=shared');
  expect(await page.locator('#tab-sandwich').getAttribute('aria-selected')).toBe('true');
  expect(await page.locator('#sandwich-title').textContent()).toBe(
    'shared, /srv/app/shared.js:5: 60.0 ms total (60.0 %), 10.0 ms self (10.0 %)',
  );
  const { callers, callees } = /** @type {any} */ (await frames());
  const pairs = (/** @type {string} */ text) =>
    text
      .split(', ')
      .map((pair) => pair.split(/ (?=\d+$)/))
      .map(([name, ms]) => [name, Number(ms)]);
  const width = callers[0].width;
  const shares = (/** @type {any[]} */ boxes) => boxes.map((box) => [box.name, Math.round((60 * box.width) / width)]);
  expect(shares(callers)).toEqual(pairs('shared 60, second 25, main 25, first 10, main 25, main 10'));
  expect(shares(callees)).toEqual(pairs('shared 60, parse 25, first 25, (garbage collector) 5, shared 25, read 25'));
  await page.locator('#callees').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  expect(await page.locator('#sandwich-title').textContent()).toMatch(/^parse, /);
  await page.keyboard.press('Backspace');
  expect(await page.locator('#sandwich-title').textContent()).toMatch(/^shared, /);
  expect(problems).toEqual([]);
});

test('the sandwich is one key away from the flame graph and from the search', async () => {
  const { page, clickFrame } = await open();
  await clickFrame('first');
  await page.keyboard.press('s');
  expect(await page.locator('#sandwich-title').textContent()).toMatch(/^first, .*:20: 35\.0 ms total/);
  await page.keyboard.press('/');
  await page.keyboard.type('/^par.e$/');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  expect(await page.locator('#sandwich-title').textContent()).toMatch(/^parse, .* 25\.0 ms total/);
});

test('the call tree opens and closes by keys', async () => {
  const { page, rows } = await open({ link: 'tab=tree' });
  const shown = async () => (await rows('tree')).map((row) => /[▾▸]([a-z() ]+)/.exec(row)?.[1]);
  expect(await shown()).toEqual(['main', 'second']);
  await page.locator('#panel-tree [role=treegrid]').focus();
  for (const key of ['ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
  expect(await shown()).toEqual(['main', 'second', 'shared', 'first', 'second']);
  expect(await page.locator('#details').textContent()).toMatch(/^main, .* 60\.0 ms total/);
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#panel-tree [aria-selected=true]').getAttribute('aria-level')).toBe('2');
  await page.keyboard.press('*');
  expect(await shown()).toEqual(['main', 'second', 'shared', 'parse', 'shared', 'first', 'second']);
  for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key);
  expect(await shown()).toEqual(['main', 'second']);
});

test('packages have their own time and what they call; one of them filters', async () => {
  const { page, rows, numbers } = await open({ link: 'tab=packages' });
  const table = await rows('packages');
  expect(table.filter((row) => /parser/.test(row))).toEqual(['20.0 %20.0 ms25.0 %25.0 msparserdependencies']);
  expect(table.filter((row) => /your code/.test(row))).toEqual(['50.0 %50.0 ms100.0 %100.0 msyour code']);
  await page.click('#panel-packages button.name >> text=parser');
  expect((await numbers()).total).toBe(20e6);
  await page.click('#chips >> text=only parser');
  expect((await numbers()).total).toBe(100e6);
});

test('each thread has a track; a drag filters, a name chooses the thread', async () => {
  const { page, numbers, problems } = await open();
  expect(await page.locator('#tracks .thread').allTextContents()).toEqual(['node · main', 'worker 1']);
  await page.click('#tracks .thread >> text=worker');
  expect((await numbers()).total).toBe(40e6);
  await page.click('#tracks .thread >> text=worker');
  const box = await page.locator('#axis').boundingBox();
  if (box === null) throw new Error('no axis');
  await page.mouse.move(box.x + box.width * 0.25, box.y + 2);
  expect(await page.locator('#details').textContent()).toMatch(/^2\d\d ms: mark deployed {"to":"<b>"}$/);
  const isDrawn = await page.evaluate(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#tracks canvas'));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const { data, width } = context.getImageData(0, canvas.height - 10, canvas.width, 1);
    return [0.15, 0.19, 0.21].map((share) => data[4 * Math.round(share * width) + 3] > 0);
  });
  // The sample that ends at 200 ms stands for 20 ms.
  expect(isDrawn).toEqual([false, true, false]);
  await page.locator('#time').focus();
  for (const key of ['+', '+', 'Enter']) await page.keyboard.press(key);
  const half = new Profile(RECORDING).filter({ fromMs: 375, toMs: 625 });
  expect((await numbers()).total).toBe(half.cpuNs);
  await page.keyboard.press('Shift+ArrowRight');
  expect(Number(await page.inputValue('#to'))).toBeGreaterThan(625);
  await page.keyboard.press('Escape');
  expect((await numbers()).total).toBe(100e6);
  expect(problems).toEqual([]);
});

test('the address keeps what is seen, and what is no state of this profile is left alone', async () => {
  const first = await open();
  await first.page.click('#chips >> text=your code');
  await first.clickFrame('second');
  await first.page.fill('#search', 'shared');
  await first.page.keyboard.press('Escape');
  await first.page.fill('#search', 'main');
  await first.page.selectOption('#thread', { label: 'node (main, 1000)' });
  await first.page.fill('#to', '500');
  await first.page.press('#to', 'Enter');
  const link = new URL(first.page.url()).hash.slice(1);
  const second = await open({ link });
  expect(await second.numbers()).toEqual(await first.numbers());
  expect(await second.page.inputValue('#search')).toBe('main');
  expect(await second.page.locator('#chips [aria-pressed=true]').textContent()).toMatch(/^your code/);
  expect(new URL(second.page.url()).hash.slice(1)).toBe(link);
  const hostile =
    'tab=<img>&thread=t9&zoom=99999&category=-1&time=9-3&function=1e9&search=<script>alert(1)</script>&view=x';
  const third = await open({ link: hostile });
  expect((await third.numbers()).total).toBe(100e6);
  expect(await third.page.inputValue('#search')).toBe('<script>alert(1)</script>');
  expect([...first.problems, ...second.problems, ...third.problems]).toEqual([]);
});

test('a search dims what does not match, and goes from match to match', async () => {
  const { page, numbers, frames } = await open();
  await page.keyboard.press('/');
  await page.keyboard.type('shared');
  expect(await page.locator('#matched').textContent()).toBe('60.0 % matched (60.0 ms)');
  const colors = new Set((await frames()).filter(({ name }) => name === 'shared').map(({ color }) => color));
  expect(colors.size).toBe(1);
  await page.keyboard.press('Enter');
  const { selected } = await numbers();
  expect(await page.locator('#details').textContent()).toMatch(/^shared, .* 25\.0 ms total/);
  await page.keyboard.press('Enter');
  expect((await numbers()).selected).not.toBe(selected);
  await page.click('#previous');
  expect((await numbers()).selected).toBe(selected);
});

test('the stack of the chosen frame is copied, leaf first', async () => {
  const { page, clickFrame } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await clickFrame('parse');
  await page.click('#copy');
  expect(await page.locator('#details').textContent()).toBe('The stack is in the clipboard.');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    [
      '    at parse (/srv/app/node_modules/parser/index.js:3)',
      '    at shared (/srv/app/shared.js:5)',
      '    at second (/srv/app/main.js:30)',
      '    at main (/srv/app/main.js:10)',
    ].join('\n'),
  );
});

test('a reader of the screen finds names and roles for everything', async () => {
  const { page } = await open();
  const session = await page.context().newCDPSession(page);
  /** @returns {Promise<{ role: string, name: string }[]>} */
  const nodes = async () => {
    const { nodes: all } = await session.send('Accessibility.getFullAXTree');
    return all
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '') }));
  };
  const NAMED = [
    'button',
    'combobox',
    'searchbox',
    'spinbutton',
    'tab',
    'tree',
    'treeitem',
    'grid',
    'treegrid',
    'group',
  ];
  for (const tab of ['flame', 'tree', 'functions', 'packages', 'sandwich', 'source']) {
    await page.click(`#tab-${tab}`);
    const all = await nodes();
    const nameless = all.filter(({ role, name }) => NAMED.includes(role) && name.trim() === '');
    expect({ tab, nameless }).toEqual({ tab, nameless: [] });
    expect(all.filter(({ role }) => role === 'tab')).toHaveLength(6);
  }
  await page.click('#tab-flame');
  await page.locator('#graph').focus();
  await page.keyboard.press('ArrowDown');
  expect(await nodes()).toContainEqual({ role: 'treeitem', name: expect.stringMatching(/^main, .* 60\.0 ms total/) });
});

test.each([
  { width: 1440, height: 900 },
  { width: 800, height: 600 },
  { width: 400, height: 800 },
])('at $width × $height nothing is cut off', async (viewport) => {
  const { page } = await open({ viewport });
  const box = await page.locator('#graph').boundingBox();
  expect(box?.width).toBe(viewport.width);
  expect(box?.height).toBeGreaterThan(viewport.height / 5);
  const scrolled = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(scrolled).toBeLessThanOrEqual(0);
  expect(await page.locator('#to-source').isVisible()).toBe(true);
});

test('threads of several processes are grouped, and a process can be chosen', async () => {
  const { startTimeMs, durationNs, nodeVersion, execPath, stoppedCleanly, stats } = RECORDING;
  const several = {
    ...RECORDING,
    processes: [70, 71].map((pid) => ({
      ...{ pid, name: 'app', startTimeMs, durationNs, nodeVersion, execPath, stoppedCleanly, stats },
    })),
    threads: RECORDING.threads.map((thread) => ({ ...thread, processId: thread.id })),
  };
  const { page, numbers } = await openPage(
    browser,
    await new Profile(several).write(path.join(folder, 'processes.html')),
  );
  const labels = await page.locator('#thread optgroup').evaluateAll((groups) => groups.map((group) => group.label));
  expect(labels).toEqual(['app 70', 'app 71']);
  await page.selectOption('#thread', 'p1');
  expect((await numbers()).total).toBe(40e6);
  expect(await page.locator('#tracks .thread[aria-pressed=true]').allTextContents()).toEqual([
    ...['app 71', 'worker 1'],
  ]);
  await page.click('#tracks .process >> text=app 70');
  expect((await numbers()).total).toBe(60e6);
});

test('a recording without samples is a page without frames', async () => {
  const empty = await new Profile(recordingOf([])).write(path.join(folder, 'empty.html'));
  const { page, numbers, names, problems } = await openPage(browser, empty);
  expect((await numbers()).total).toBe(0);
  expect(await names()).toEqual(['all']);
  for (const tab of ['tree', 'functions', 'packages', 'sandwich', 'source']) await page.click(`#tab-${tab}`);
  expect(problems).toEqual([]);
});

test('what sleeps has an empty track in wall mode, and in full view the engine has a colour of its own', async () => {
  const wait = native('epoll_wait', '/lib/libc.so.6');
  const engine = native('v8::internal::Execution::Call');
  const recording = recordingOf(
    [
      { atMs: 500, cpuMs: 0, wallMs: 500, stack: [wait], state: 8 },
      { atMs: 600, cpuMs: 100, wallMs: 100, stack: [engine, MAIN, native('compress', '/srv/addon.node')] },
    ],
    { mode: 'wall' },
  );
  const file = await new Profile(recording).write(path.join(folder, 'waits.html'));
  const { page, numbers, frames, problems } = await openPage(browser, file, { link: 'view=full' });
  expect((await numbers()).total).toBe(600e6);
  const isDrawn = await page.evaluate(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#tracks canvas'));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const { data, width } = context.getImageData(0, canvas.height - 10, canvas.width, 1);
    return [0.3, 0.55].map((share) => data[4 * Math.round(share * width) + 3] > 0);
  });
  expect(isDrawn).toEqual([false, true]);
  const hue = async (/** @type {string} */ name) =>
    String((await frames()).find((frame) => frame.name === name)?.color)
      .split(' ')
      .slice(1)
      .map((each) => Number.parseFloat(each));
  // `oklab(…)`: the third coordinate is lower the bluer a colour is.
  const [ofEngine, ofAddon] = [await hue('v8::internal::Execution::Call'), await hue('compress')];
  expect(ofEngine[1]).toBeGreaterThan(ofAddon[1] + 0.03);
  expect(problems).toEqual([]);
});
