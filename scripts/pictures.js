'use strict';

/**
 * Makes the pictures of docs/pictures/ anew, by the product itself: records `examples/typecheck.js` twice, writes the pages, and
 * photographs them in chromium. `node scripts/pictures.js`
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { ROOT, requireTool, run } = require('./tools');

const PICTURES = path.join(ROOT, 'docs', 'pictures');
/** README is no place for more. */
const MOST_BYTES = 200_000;

/** @param {string} folder @returns {string} the recording */
function record(folder, name = 'typecheck') {
  const file = path.join(folder, `${name}.spprof`);
  const args = ['-q', '-o', file, '--', process.execPath, path.join(ROOT, 'examples', 'typecheck.js')];
  const status = run(process.execPath, [path.join(ROOT, 'lib', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`the example ended with ${status}`);
  return file;
}

/**
 * @typedef {{ name: string, page: string, colorScheme?: 'light' | 'dark', width?: number, thread?: RegExp }} Picture
 * @param {any} browser of playwright
 * @param {Picture} picture
 */
async function photograph(browser, { name, page: file, colorScheme = 'light', width = 1280, thread }) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('body[data-ready]');
  if (thread !== undefined) {
    const labels = await page.locator('#thread option').allTextContents();
    await page.selectOption('#thread', { label: labels.find((/** @type {string} */ label) => thread.test(label)) });
  }
  const target = path.join(PICTURES, `${name}.png`);
  await page.screenshot({ path: target });
  await context.close();
  const { size } = fs.statSync(target);
  if (size > MOST_BYTES) throw new Error(`${target} has ${size} bytes; ${MOST_BYTES} are the most`);
  process.stdout.write(`${path.relative(ROOT, target)}: ${size} bytes\n`);
}

async function makePictures() {
  requireTool('chromium');
  // Only here: most who run scripts need no browser.
  // By a path that tsc does not follow: the browser's types need a document's, which scripts are not to have.
  const { launchBrowser } = require(path.join(ROOT, 'test', 'helpers', 'browser.js'));
  const { readProfile } = require('../lib/profile/read-profile');
  fs.mkdirSync(PICTURES, { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-pictures-'));
  const browser = await launchBrowser();
  try {
    const profile = await readProfile(record(folder));
    const page = path.join(folder, 'typecheck.html');
    await profile.write(page);
    const difference = path.join(folder, 'difference.html');
    const begin = profile.filter({ toMs: profile.durationNs / 2e6 });
    const end = profile.filter({ fromMs: profile.durationNs / 2e6 });
    await end.writeDifference(begin, difference, { before: 'first half', after: 'second half' });
    const thread = /\(main/;
    await photograph(browser, { name: 'flame-graph', page, thread });
    await photograph(browser, { name: 'flame-graph-dark', page, thread, colorScheme: 'dark' });
    await photograph(browser, { name: 'flame-graph-narrow', page, thread, width: 480 });
    await photograph(browser, { name: 'flame-graph-difference', page: difference });
  } finally {
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  }
}

makePictures();
