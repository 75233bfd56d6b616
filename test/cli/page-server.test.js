'use strict';

/** The server of `spprof view`: it hands out one page, to this machine's user alone. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { servePage } = require('../../lib/cli/io/page-server');
const { temporaryFolder } = require('../helpers/run-cli');

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

describe('the address that a browser is started with', () => {
  const file = path.join(folder, 'open.html');
  /** @type {Awaited<ReturnType<typeof servePage>>} */
  let server;
  beforeAll(async () => {
    fs.writeFileSync(file, 'the page');
    server = await servePage(file);
  });
  afterAll(() => server.close());

  test('has no secret in it, and leads this user to the page', async () => {
    const { pathname } = new URL(server.url);
    expect(server.openUrl).not.toContain(pathname.slice(1, -1));
    expect(await ask(server.openUrl)).toMatchObject({ status: 302, headers: { location: pathname } });
    expect(await (await fetch(server.openUrl)).text()).toBe('the page');
  });

  test('also over a socket of IPv6', async () => {
    const { port, pathname } = new URL(server.url);
    const options = { hostname: '::ffff:127.0.0.1', port, path: '/open', headers: { host: `127.0.0.1:${port}` } };
    try {
      expect(await ask('http://127.0.0.1/', options)).toMatchObject({ status: 302, headers: { location: pathname } });
    } catch (error) {
      expect(/** @type {NodeJS.ErrnoException} */ (error).code).toMatch(/EAFNOSUPPORT|EADDRNOTAVAIL|ENETUNREACH/);
      process.stdout.write('NOT RUN: this machine has no IPv6\n');
    }
  });

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot(`leads no other user there${process.getuid?.() === 0 ? '' : ' (NOT RUN: not root)'}`, async () => {
    const program = `require('node:http').get(${JSON.stringify(server.openUrl)}, ({ statusCode, headers }) => {
      console.log(statusCode, headers.location);
      process.exit();
    });`;
    const stranger = spawn(process.execPath, ['-e', program], { uid: 65534, gid: 65534, cwd: '/' });
    const [text] = await once(stranger.stdout.setEncoding('utf8'), 'data');
    expect(text).toBe('403 undefined\n');
  });

  test('is refused under another name, and the page is served after its file has gone', async () => {
    expect(await ask(server.openUrl, { headers: { host: 'evil.example' } })).toMatchObject({ status: 404 });
    fs.rmSync(file);
    expect(await ask(server.url)).toMatchObject({ status: 200, text: 'the page' });
  });
});
