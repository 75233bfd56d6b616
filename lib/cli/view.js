'use strict';

const { randomBytes } = require('node:crypto');
const http = require('node:http');
const { spawn } = require('node:child_process');
const { openRecording } = require('./input');
const { checkOutputs, planOutputs } = require('./output-names');

/**
 * The page's server: on the loopback interface only, at an address that nobody can guess, and for a browser that has asked
 * for this machine by its number (a foreign page whose name is made to point here is refused).
 * @param {string} page
 * @returns {Promise<{ url: string, server: http.Server }>}
 */
function serve(page) {
  const token = randomBytes(16).toString('hex');
  const server = http.createServer((request, response) => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    if (request.headers.host !== `127.0.0.1:${port}` || request.url !== `/${token}/`) {
      response.writeHead(404).end();
      return;
    }
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    };
    response.writeHead(200, headers).end(page);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      resolve({ url: `http://127.0.0.1:${port}/${token}/`, server });
    });
  });
}

/** @param {string} url @param {import('./run').Io} io */
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
 * @param {import('./arguments').ViewRequest} request
 * @param {import('./run').Io} io
 */
async function view({ file, outputs, opens, reading }, io) {
  const planned = outputs.length > 0 ? planOutputs({ outputs, format: 'flamegraph' }, io.cwd()) : [];
  checkOutputs(planned);
  const { profile } = await openRecording(file, { reading, io });
  for (const { pattern } of planned) {
    io.stdout.write(`${await profile.write(pattern, { format: 'flamegraph' })}\n`);
  }
  if (planned.length > 0) return 0;
  const { url, server } = await serve(profile.toFlameGraph());
  const ended = interrupted();
  io.stdout.write(`${url}\n`);
  io.stderr.write('spprof: Ctrl-C ends it\n');
  if (opens) openBrowser(url, io);
  await ended;
  server.closeAllConnections?.();
  server.close();
  return 0;
}

module.exports = { view };
