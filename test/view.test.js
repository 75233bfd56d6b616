'use strict';

/** `spprof view`: the page is served to this machine's user alone, until told to end. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { servePage } = require('../lib/cli/page-server');
const { cleanEnvironment, runCli, temporaryFolder } = require('./helpers/run-cli');

const folder = temporaryFolder();
const MAIN = path.join(__dirname, '..', 'lib', 'cli', 'main.js');
const recording = path.join(folder, 'busy.spprof');

beforeAll(() => {
  const program = path.join(__dirname, 'programs', 'busy.js');
  expect(runCli(['-q', '-o', recording, program, '200', '0']).status).toBe(0);
});

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

/**
 * Starts `spprof view`; gives its first line.
 * @param {string[]} args
 * @param {Record<string, string>} [variables]
 */
function startView(args, variables = {}) {
  const env = { ...cleanEnvironment(), TMPDIR: folder, ...variables };
  const child = spawn(process.execPath, [MAIN, 'view', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const line = new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.trim());
    });
    child.on('exit', () => reject(new Error(`it ended: ${errors}`)));
  });
  return { child, ended, line: /** @type {Promise<string>} */ (line), errors: () => errors };
}

test('the page is served on the loopback address under a secret path, until Ctrl-C', async () => {
  const { child, ended, line } = startView(['--no-open', recording]);
  const url = await line;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
  const { status, headers, text } = await ask(url);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['cache-control']).toBe('no-store');
  expect(text).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(fs.readdirSync(folder).filter((name) => name.startsWith('spprof-view-'))).toEqual([]);
});

test('the desktop’s program is given the address', async () => {
  const bin = fs.mkdtempSync(path.join(folder, 'bin-'));
  for (const name of ['xdg-open', 'open']) {
    fs.writeFileSync(
      path.join(bin, name),
      `#!/bin/sh\nprintf %s "$1" > "${bin}/url.part"\nmv "${bin}/url.part" "${bin}/url"\n`,
      { mode: 0o755 },
    );
  }
  const { child, ended, line } = startView([recording], { PATH: `${bin}${path.delimiter}${process.env.PATH}` });
  const url = await line;
  await waitFor(() => fs.existsSync(path.join(bin, 'url')));
  expect(fs.readFileSync(path.join(bin, 'url'), 'utf8')).toBe(url);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

/** @param {() => boolean} isSo */
async function waitFor(isSo) {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not come to that');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('where no browser can be opened, the address is for the user', async () => {
  const { child, ended, line, errors } = startView([recording], { PATH: folder });
  await line;
  await waitFor(() => errors().includes('open the address above'));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

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
      expect(await ask(server.url, { headers: { host } })).toMatchObject({ status: 403, text: 'forbidden\n' });
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

test('-o writes the page instead', () => {
  const { status, stdout } = runCli(['view', recording, '-o', 'out.html'], { cwd: folder });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${path.join(folder, 'out.html')}\n` });
  expect(fs.readFileSync(path.join(folder, 'out.html'), 'utf8')).toMatch(/^<!doctype html>/);
});

test('-o into a folder that is not there says so and reads nothing', () => {
  const { status, stderr } = runCli(['view', recording, '-o', 'none/out.html'], { cwd: folder });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^spprof: cannot write .*out\.html/);
});

test('help tells of it with examples', () => {
  const { status, stdout } = runCli(['view', '--help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}spprof view app\.spprof\n/);
});
