'use strict';

const { randomBytes, timingSafeEqual } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const { peerUser } = require('./peer-user');

/**
 * Serves one file to this machine's user: on the loopback address, under a path that nobody can guess, and only when it is
 * asked for by that address (another name for it, in `Host`, is DNS rebinding). The path stands in no command line, which every user
 * can read: a browser is started with `openUrl`, which leads this user's own connections there.
 */

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const OPEN = '/open';

/** Whether a connection is this user's. @param {import('node:net').Socket} socket */
function isOwn(socket) {
  return peerUser(socket) === process.getuid?.();
}

/** @param {string} given @param {string} wanted */
function isSame(given, wanted) {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * @param {string} file may be removed meanwhile
 * @returns {Promise<{ url: string, openUrl: string, close: () => Promise<void> }>} `openUrl`: without a secret
 */
async function servePage(file) {
  const page = await fs.promises.open(file);
  const { size } = await page.stat();
  const pathname = `/${randomBytes(16).toString('hex')}/`;
  const server = http.createServer((request, response) => {
    /** @param {number} status @param {string} text */
    const refuse = (status, text) => response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${text}\n`);
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    if (request.headers.host !== `127.0.0.1:${port}`) return refuse(404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'method not allowed');
    if (request.url === OPEN) {
      if (!isOwn(request.socket)) return refuse(403, 'open the address that spprof has printed');
      return response.writeHead(302, { ...HEADERS, Location: pathname }).end();
    }
    if (!isSame(request.url ?? '', pathname)) return refuse(404, 'not found');
    response.writeHead(200, { ...HEADERS, 'Content-Length': size });
    if (request.method === 'HEAD') return response.end();
    return fs
      .createReadStream('', { fd: page.fd, start: 0, autoClose: false })
      .on('error', (error) => response.destroy(error))
      .pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () =>
    new Promise((resolve) => {
      server.close(() => resolve(page.close()));
      server.closeAllConnections?.(); // Node 18.2
    });
  const origin = `http://127.0.0.1:${port}`;
  return { url: origin + pathname, openUrl: origin + OPEN, close: /** @type {() => Promise<void>} */ (close) };
}

module.exports = { servePage };
