'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { openRecording } = require('./input');
const { checkOutputs } = require('./output-names');
const { servePage } = require('./page-server');

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Asks the desktop for its browser, by the desktop's own program.
 * @param {string} url
 * @returns {Promise<string | null>} why it was not opened
 */
function openInBrowser(url) {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(`${program} cannot be started`));
    child.once('exit', (status) => resolve(status === 0 ? null : `${program} found no browser`));
    child.unref();
  });
}

/** Until a signal comes. @returns {Promise<void>} */
function untilTold() {
  return new Promise((resolve) => {
    const end = () => {
      for (const signal of SIGNALS) process.off(signal, end);
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, end);
  });
}

/**
 * Shows a page until Ctrl-C.
 * @param {(file: string) => Promise<unknown>} writePage
 * @param {{ isQuiet: boolean, io: import('./run').Io }} settings quiet: the user opens the URL
 */
async function showPage(writePage, { isQuiet, io }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-view-')); // 0700
  try {
    const file = path.join(folder, 'page.html');
    await writePage(file);
    const { url, close } = await servePage(file);
    const ended = untilTold();
    io.stdout.write(`${url}\n`);
    io.stderr.write('spprof: the page is served until Ctrl-C\n');
    const problem = isQuiet ? null : await openInBrowser(url);
    if (problem !== null) io.stderr.write(`spprof: ${problem}; open the address above\n`);
    await ended;
    await close();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/**
 * `spprof view <file>`: opens the flame graph in the browser, or writes it.
 * @param {import('./arguments').ViewRequest} request
 * @param {import('./run').Io} io
 */
async function view({ file, output, isQuiet, reading }, io) {
  if (output !== null) checkOutputs([{ pattern: output, format: 'flamegraph' }]);
  const { profile } = await openRecording(file, { reading, io });
  const writePage = (/** @type {string} */ target) => profile.write(target, { format: 'flamegraph' });
  if (output === null) return showPage(writePage, { isQuiet, io });
  io.stdout.write(`${await writePage(path.resolve(io.cwd(), output))}\n`);
  return 0;
}

module.exports = { view, showPage };
