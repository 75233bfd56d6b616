'use strict';

/** The page as a test uses it: opened in the browser, its numbers, its frames. */

const { pathToFileURL } = require('node:url');

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} file
 * @param {import('playwright-core').BrowserContextOptions & { link?: string }} [settings] `link`: the address's fragment
 */
async function openPage(browser, file, { link = '', ...settings } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...settings });
  const page = await context.newPage();
  /** What the page has reported, and what it has asked of anybody else. @type {string[]} */
  const problems = [];
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => problems.push(`dialog ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== pathToFileURL(file).href) problems.push(`request ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href + (link === '' ? '' : `#${link}`));
  await page.waitForSelector('body[data-ready]', { timeout: 30_000 });
  /** Sums of what is shown. @returns {Promise<Record<string, number>>} */
  const numbers = () =>
    page.evaluate(() =>
      Object.fromEntries(Object.entries(document.body.dataset).map(([name, value]) => [name, Number(value)])),
    );
  /** @returns {Promise<{ name: string, x: number, y: number, width: number, color: string }[]>} of the flame graph */
  const frames = () => page.evaluate(() => /** @type {any} */ (globalThis).spprofFrames());
  const names = async () => (await frames()).map(({ name }) => name);
  /** @param {string} name */
  const placeOf = async (name) => {
    const frame = (await frames()).find((each) => each.name === name);
    if (frame === undefined) throw new Error(`no frame ${name}`);
    return { position: { x: frame.x + Math.min(frame.width / 2, 20), y: frame.y + 10 } };
  };
  const clickFrame = async (/** @type {string} */ name) => page.locator('#graph').click(await placeOf(name));
  const hoverFrame = async (/** @type {string} */ name) => {
    await page.locator('#graph').hover(await placeOf(name));
    return await page.locator('#details').textContent();
  };
  /** The texts of a table's rows that are drawn. @param {string} panel */
  const rows = async (panel) =>
    (await page.locator(`#panel-${panel} .rows [role=row]`).allTextContents()).map((row) => row.replace(/\s+/g, ' '));
  return { page, problems, numbers, frames, names, clickFrame, hoverFrame, rows };
}

module.exports = { openPage };
