'use strict';

/** The server of `spprof view`: it hands out one page, to this machine's user alone. */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { servePage } = require('../lib/cli/page-server');
const { temporaryFolder } = require('./helpers/run-cli');

const folder = temporaryFolder();

/** @param {string} url @param {http.RequestOptions} [options] @returns {Promise<{ status: number, headers: http.IncomingHttpHeaders, text: string }>} */
function ask(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject).end();
  });
}

describe('the server', () => {
  const file = path.join(folder, 'page.html');
  /** @type {Awaited<ReturnType<typeof servePage>>} */
  let server;
  beforeAll(async () => {
    fs.writeFileSync(file, 'the page');
    server = await servePage(file);
  });
  afterAll(() => server.close());

  test('refuses other names for itself in Host: DNS rebinding', async () => {
    const { port } = new URL(server.url);
    for (const host of ['evil.example', `evil.example:${port}`, `localhost:${port}`, '127.0.0.1']) {
      expect(await ask(server.url, { headers: { host } })).toMatchObject({ status: 404, text: 'not found\n' });
    }
    expect(await ask(server.url)).toMatchObject({ status: 200, text: 'the page' });
  });

  test('refuses every other path', async () => {
    const { origin, pathname } = new URL(server.url);
    for (const other of ['/', '/page.html', pathname.slice(0, -2), `${pathname}x`, `${pathname}?`, `${pathname}../`]) {
      const { hostname, port } = new URL(origin);
      expect(await ask(origin, { hostname, port, path: other })).toMatchObject({ status: 404 });
    }
  });

  test('refuses every method but GET and HEAD', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(await ask(server.url, { method })).toMatchObject({ status: 405 });
    }
    expect(await ask(server.url, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  test('two servers have different secrets', async () => {
    const other = await servePage(file);
    expect(new URL(other.url).pathname).not.toBe(new URL(server.url).pathname);
    await other.close();
  });
});
