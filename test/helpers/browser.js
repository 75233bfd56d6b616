'use strict';

/**
 * The driver of the browser refuses Node 18. The pages are the same there (what makes them is tested everywhere); the browser's
 * tests are reported as skipped, with this sentence.
 */
const WHY_NOT = Number(process.versions.node.split('.')[0]) < 20 ? 'playwright-core needs Node 20' : '';
if (WHY_NOT !== '') process.stderr.write(`browser tests are skipped: ${WHY_NOT}\n`);

/** Jest's `test`, which scripts have not. */
const jestTest = /** @type {any} */ (globalThis).test;
/** Jest's `test`, for tests that need the browser. @type {typeof test} */
const browserTest = WHY_NOT === '' ? jestTest : jestTest?.skip;

/** Debian's chromium, as root and without a network. @returns {Promise<import('playwright-core').Browser | undefined>} */
async function launchBrowser() {
  if (WHY_NOT !== '') return undefined;
  const { chromium } = require('playwright-core');
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

module.exports = { browserTest, launchBrowser };
