'use strict';

/** Where a profile is read from: pipes, FIFOs, descriptors, devices; and how much of it. */

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const spprof = require('../../lib/index');
const { temporaryFolder } = require('../helpers/run-cli');

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const folder = temporaryFolder();
const STACKS = 'main;a;b 10\nmain;a;c 20\n';
const stacks = path.join(folder, 'x.folded');
fs.writeFileSync(stacks, STACKS);

/** @param {string} script of the shell, with `spprof` */
function shell(script) {
  const spprofCommand = `spprof() { "${process.execPath}" "${MAIN}" "$@"; }`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${spprofCommand}; ${script}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test.each([
  ['a pipe', 'cat x.folded | spprof report /dev/stdin'],
  ['standard input as -', 'cat x.folded | spprof report -'],
  ['a file as standard input', 'spprof report /dev/stdin < x.folded'],
  ['process substitution', 'spprof report <(cat x.folded)'],
  ['a FIFO whose writer comes first', 'rm -f f1; mkfifo f1; cat x.folded > f1 & spprof report f1'],
  ['a FIFO whose writer comes later', 'rm -f f2; mkfifo f2; spprof report f2 & p=$!; cat x.folded > f2; wait $p'],
  ['a compressed pipe', 'gzip -c x.folded | spprof report -'],
])('%s is read', (_, script) => {
  const { status, stdout, stderr } = shell(script);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^native 100\.0 %\n30 samples \(read from collapsed\)/);
});

test('a socket as standard input is read', () => {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'report', '/dev/stdin'], {
    input: STACKS,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^30 samples/m);
});

test.each([
  ['/dev/zero', /it is a device or a terminal/],
  ['/dev/null', /it is a device or a terminal/],
  ['missing', /no such file/],
])('%s is refused', async (name, message) => {
  await expect(spprof.readProfile(name)).rejects.toMatchObject({ code: 'ERR_SPPROF_INPUT', message });
});

test('a FIFO that no program writes to is given up', async () => {
  const fifo = path.join(folder, 'lonely');
  execFileSync('mkfifo', [fifo]);
  await expect(spprof.readProfile(fifo)).rejects.toMatchObject({
    code: 'ERR_SPPROF_INPUT',
    message: expect.stringMatching(/no program has written to it for 10 s$/),
  });
}, 60_000);

test('a pipe without an end is read up to the limit', () => {
  const { status, stderr } = shell('yes "a;b 1" | spprof report --max-memory 16 -');
  expect(status).toBe(2);
  expect(stderr).toMatch(/larger than 16\.8 MB; maxMemory \(--max-memory\)/);
});

test('what unpacks to more than the limit is refused', async () => {
  const file = path.join(folder, 'bomb.gz');
  fs.writeFileSync(file, zlib.gzipSync(`a;${'b'.repeat(1020)} 1\n`.repeat(32 << 10)));
  await expect(spprof.readProfile(file, { maxMemory: 16 })).rejects.toMatchObject({
    code: 'ERR_SPPROF_INPUT',
    message: expect.stringMatching(/it unpacks to more than 16\.8 MB/),
  });
  expect((await spprof.readProfile(file, { maxMemory: 64 })).sampleCount).toBe(32 << 10);
});
