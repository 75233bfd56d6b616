'use strict';

const { randomBytes, timingSafeEqual } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');

/**
 * Serves one file to this machine's user: on the loopback address, under a path that nobody can guess, and only when it is
 * asked for by that address (another name for it, in `Host`, is DNS rebinding).
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

/** @param {string} given @param {string} wanted */
function isSame(given, wanted) {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * @param {string} file
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
async function servePage(file) {
  const pathname = `/${randomBytes(16).toString('hex')}/`;
  const server = http.createServer((request, response) => {
    /** @param {number} status @param {string} text */
    const refuse = (status, text) => response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${text}\n`);
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    if (request.headers.host !== `127.0.0.1:${port}`) return refuse(404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'method not allowed');
    if (!isSame(request.url ?? '', pathname)) return refuse(404, 'not found');
    response.writeHead(200, { ...HEADERS, 'Content-Length': fs.statSync(file).size });
    if (request.method === 'HEAD') return response.end();
    return fs
      .createReadStream(file)
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
      server.close(() => resolve(undefined));
      server.closeAllConnections?.(); // Node 18.2
    });
  return { url: `http://127.0.0.1:${port}${pathname}`, close: /** @type {() => Promise<void>} */ (close) };
}

module.exports = { servePage };
