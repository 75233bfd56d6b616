'use strict';

const { chromium } = require('playwright-core');

/** Debian's chromium, as root and without a network. @returns {Promise<import('playwright-core').Browser>} */
function launchBrowser() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

module.exports = { launchBrowser };
