'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { openRecording } = require('../io/input');
const { checkOutputs, planOutputs } = require('../io/output-names');
const { servePage } = require('../io/page-server');

/** @param {string} url @param {import('../run').Io} io */
function openBrowser(url, io) {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(command, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => io.stderr.write(`spprof: ${command} is not there; open the address above yourself\n`));
  child.unref();
}

/** When the user has had enough. @returns {Promise<void>} */
function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });
}

/**
 * `spprof view <file>`.
 * @param {import('../arguments').ViewRequest} request
 * @param {import('../run').Io} io
 */
async function view({ file, outputs, opens, reading }, io) {
  const planned = outputs.length > 0 ? planOutputs({ outputs, format: 'flamegraph' }, io.cwd()) : [];
  checkOutputs(planned);
  const { profile } = await openRecording(file, { reading, io });
  for (const { pattern } of planned) {
    io.stdout.write(`${await profile.write(pattern, { format: 'flamegraph' })}\n`);
  }
  if (planned.length > 0) return 0;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-view-')); // 0700
  try {
    // A file: a page may be longer than a string can be.
    const { url, openUrl, close } = await servePage(await profile.write(path.join(folder, 'page.html')));
    const ended = interrupted();
    io.stdout.write(`${url}\n`);
    io.stderr.write('spprof: Ctrl-C ends it\n');
    if (opens) openBrowser(openUrl, io);
    await ended;
    await close();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

module.exports = { view };
