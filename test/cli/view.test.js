'use strict';

/** `spprof view` as a user and as a stranger meet it. */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { runCli, startCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const FILE = path.join(__dirname, '..', 'fixtures', 'profiles', 'node.cpuprof.json');

/** @param {string} url @param {Record<string, string>} [headers] @returns {Promise<{ status?: number, text: string }>} */
function get(url, headers = {}) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      })
      .on('error', reject);
  });
}

test('it serves the page to this machine alone, at an address that cannot be guessed, until Ctrl-C', async () => {
  const { child, firstOutput, ended } = await startCli(['view', '--no-open', FILE], { cwd: folder });
  const url = firstOutput.trim();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
  const { status, text } = await get(url);
  expect(status).toBe(200);
  expect(text).toContain('<title>130 ms of CPU time, 40 samples');
  const { host } = new URL(url);
  expect((await get(`http://${host}/`)).status).toBe(404);
  // A page of somebody else's, whose name was made to point here.
  expect((await get(url, { host: `evil.example:${new URL(url).port}` })).status).toBe(404);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ status: 0, signal: null });
});

test('or it writes the page', () => {
  const { status, stdout, stderr } = runCli(['view', FILE, '-o', 'page.html'], { cwd: folder });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${path.join(folder, 'page.html')}\n`, stderr: '' });
  expect(fs.readFileSync(path.join(folder, 'page.html'), 'utf8')).toContain('<!doctype html>');
});

test('where no browser can be opened it says so, and goes on', async () => {
  const { child, firstOutput, ended } = await startCli(['view', FILE], { cwd: folder, env: { PATH: '' } });
  const page = await get(firstOutput.trim());
  expect(page.status).toBe(200);
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  expect(status).toBe(0);
  expect(stderr).toMatch(/xdg-open is not there; open the address above yourself/);
});

test('the browser’s command line has no secret in it, and leads to the page', async () => {
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  const told = path.join(folder, 'told');
  // A browser that writes down what it was asked for.
  fs.writeFileSync(
    path.join(bin, 'xdg-open'),
    `#!${process.execPath}\nrequire('node:fs').writeFileSync(${JSON.stringify(told)}, process.argv.slice(2).join(' '));\n`,
    { mode: 0o755 },
  );
  const { child, firstOutput, ended } = await startCli(['view', FILE], { cwd: folder, env: { PATH: bin } });
  const deadline = Date.now() + 30_000;
  while (!fs.existsSync(told) || fs.readFileSync(told, 'utf8') === '') {
    expect(Date.now()).toBeLessThan(deadline);
    await new Promise(setImmediate);
  }
  const asked = fs.readFileSync(told, 'utf8');
  const secret = new URL(firstOutput.trim()).pathname.slice(1, -1);
  expect(asked).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open$/);
  expect(asked).not.toContain(secret);
  expect(await (await fetch(asked)).text()).toContain('<title>130 ms of CPU time, 40 samples');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ status: 0 });
});
