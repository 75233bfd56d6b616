'use strict';

/** What the command has been given, the program has: descriptors of every kind, and the channel of a parent that is Node.js. */

const { fork, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { CLI, cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

/** @param {string} name @param {string} text */
function program(name, text) {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

/**
 * Runs a program bare and under the command, from a shell that opens descriptors.
 * @param {string} shell what it opens
 * @param {string} file the program
 */
function bareAndRecorded(shell, file) {
  const run = (/** @type {string[]} */ args) => {
    const settings = { cwd: folder, encoding: /** @type {const} */ ('utf8'), env: cleanEnvironment() };
    const { status, stdout, stderr } = spawnSync('bash', ['-c', shell, process.execPath, ...args], settings);
    return { status, stdout, stderr };
  };
  return { bare: run([file]), recorded: run([CLI, '-q', '-o', 'given.cpuprofile', file]) };
}

/** @param {string} pairs how descriptors are opened */
const SHOWS = (pairs) =>
  `const fs = require('node:fs');
  process.stdout.write([${pairs}].map((fd) => fs.readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/, 'N')).join());`;

describe('descriptors, under their numbers', () => {
  test('/dev/null, into which a program writes what is not wanted', () => {
    const writes = program('writes.js', `for (const fd of [3, 8, 9]) require('node:fs').writeSync(fd, 'log');`);
    const { bare, recorded } = bareAndRecorded('exec "$0" "$@" 3> /dev/null 8> /dev/null 9<> /dev/null', writes);
    expect(bare).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(recorded).toEqual(bare);
  });

  test('both ends of a pipe, as make gives them to what runs in parallel', () => {
    const takes = program(
      'takes.js',
      `const fs = require('node:fs'); fs.writeSync(4, 'token'); const bytes = Buffer.alloc(5); fs.readSync(3, bytes);
      process.stdout.write(String(bytes));`,
    );
    const { bare, recorded } = bareAndRecorded(': | { exec 3<&0 4> /proc/self/fd/0; exec "$0" "$@"; }', takes);
    expect(bare).toEqual({ status: 0, stdout: 'token', stderr: '' });
    expect(recorded).toEqual(bare);
  });

  test('a folder, a file that has been removed, a device, with gaps between their numbers', () => {
    const shows = program('shows.js', SHOWS('4, 6, 30'));
    const opens = 'exec 4< . 6> removed 30< /dev/zero; rm removed; exec "$0" "$@"';
    const { bare, recorded } = bareAndRecorded(opens, shows);
    expect(bare).toMatchObject({ status: 0, stderr: '' });
    expect(recorded).toEqual(bare);
  });
});

test('fork, process.send and --on-port go together, and a descriptor 3 beside the channel', async () => {
  const server = program(
    'server.js',
    `const http = require('node:http'); const fs = require('node:fs'); const { fork } = require('node:child_process');
    if (process.argv[2] === 'child') {
      process.send({ from: 'child', connected: process.connected });
      process.once('message', (m) => process.send({ echo: m }, () => process.disconnect()));
    } else {
      const given = fs.readFileSync(4, 'utf8');
      const child = fork(__filename, ['child']);
      child.once('message', (m) => { child.send('hello'); child.once('message', (echo) => {
        http.createServer((request, response) => { process.send({ asked: request.url }); response.end('served'); })
          .listen(0, '127.0.0.1', () => process.send({ given, m, echo }));
      }); });
    }`,
  );
  fs.writeFileSync(path.join(folder, 'given.txt'), 'given');
  const given = fs.openSync(path.join(folder, 'given.txt'), 'r');
  const load = `"${process.execPath}" -e 'fetch("http://127.0.0.1:" + process.env.PORT + "/load").then((r) => r.text())'`;
  const child = fork(CLI, ['-q', '-o', 'forked.folded', '--on-port', load, server], {
    ...{ cwd: folder, env: cleanEnvironment(), execArgv: [] },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', given],
  });
  fs.closeSync(given);
  /** @type {any[]} */
  const got = [];
  child.on('message', (message) => got.push(message));
  expect(await new Promise((resolve) => child.once('close', (...end) => resolve(end)))).toEqual([0, null]);
  expect(got).toEqual([
    { given: 'given', m: { from: 'child', connected: true }, echo: { echo: 'hello' } },
    { asked: '/load' },
  ]);
  expect(fs.existsSync(path.join(folder, 'forked.folded'))).toBe(true);
});
