'use strict';

/**
 * The files and descriptors of a recording, when the program, or somebody else, closes them, cuts them off or fills their disk: the
 * program never notices, what it writes is its own, and what is lost is said.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const spprof = require('../..');
const { loadBinding } = require('../../lib/native/binding');
const { CLI, cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const ROOT = path.join(__dirname, '..', '..');
const folder = temporaryFolder();
const BUSY = path.join(__dirname, '..', 'programs', 'busy.js');

/**
 * Runs a program that has `spprof`, `fs` and `burn(ms)`; the last line that it prints is JSON.
 * @param {string} body of an async function
 * @param {{ wrap?: string[] }} [how]
 */
function run(body, { wrap = [] } = {}) {
  const file = path.join(folder, `program-${fs.readdirSync(folder).length}.js`);
  fs.writeFileSync(
    file,
    `const spprof = require(${JSON.stringify(ROOT)}); const fs = require('node:fs'); const path = require('node:path');
     function burn(ms) { const end = process.cpuUsage().user + ms * 1000; while (process.cpuUsage().user < end); }
     (async () => {${body}})().catch((error) => console.log(JSON.stringify({ code: error.code, message: error.message })));`,
  );
  const [command, ...args] = [...wrap, process.execPath, file];
  const ran = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 60_000, env: cleanEnvironment() });
  expect({ signal: ran.signal, status: ran.status, stderr: ran.stderr }).toMatchObject({ signal: null, status: 0 });
  return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '');
}

describe('a program that closes the descriptors that it does not know', () => {
  const CLOSES = `
    const before = new Set(fs.readdirSync('/proc/self/fd'));
    const session = spprof.start({ intervalUs: 1000, ...DIR });
    const added = fs.readdirSync('/proc/self/fd').filter((fd) => !before.has(fd)).map(Number);
    for (const fd of added) try { fs.closeSync(fd); } catch {}
    const files = [];
    try { // all numbers there are, up to 1,100
      while (files.length < 1100) {
        const name = 'mine-' + process.pid + '-' + files.length;
        files.push({ name, fd: fs.openSync(name, 'w+') });
        fs.writeSync(files.at(-1).fd, 'important ' + files.length);
      }
    } catch {}
    for (const { fd } of files.splice(0, 24)) fs.closeSync(fd);
    burn(200);
    const outcome = await session.stop().then((profile) => ({ samples: profile.sampleCount }), ({ code, message }) => ({ code, message }));
    const damaged = files.filter(({ name }) => !/^important \\d+$/.test(fs.readFileSync(name, 'latin1'))).length;
    for (const { name } of files) fs.unlinkSync(name);
    console.log(JSON.stringify({ outcome, damaged, count: files.length, lowest: Math.min(...added) }));`;

  test('loses a recording without a name, which says so, and none of its own data', () => {
    const { outcome, damaged, lowest } = run(CLOSES.replace('DIR', '{}'));
    expect(damaged).toBe(0);
    expect(lowest).toBeGreaterThan(100);
    expect(outcome).toEqual({
      code: 'ERR_SPPROF_BAD_RECORDING',
      message: expect.stringContaining('closed its descriptor'),
    });
  });

  test('keeps a recording that has a name', () => {
    const { outcome, damaged } = run(CLOSES.replace('DIR', JSON.stringify({ dir: path.join(folder, 'closed') })));
    expect(damaged).toBe(0);
    expect(outcome.samples).toBeGreaterThan(5);
  });
});

test('few descriptors: the program gets them, and one line says why it is not recorded', () => {
  const limited = ['/bin/sh', '-c', 'ulimit -n 24; exec "$0" "$@"'];
  const bare = spawnSync(limited[0], [...limited.slice(1), process.execPath, BUSY, '50', '5'], { encoding: 'utf8' });
  if (bare.status !== 5) return void process.stdout.write('NOT RUN: this Node does not start with 24 descriptors\n');
  const args = [
    ...limited.slice(1),
    process.execPath,
    '--require',
    path.join(ROOT, 'lib/register.js'),
    BUSY,
    '50',
    '5',
  ];
  const recorded = spawnSync(limited[0], args, { cwd: folder, encoding: 'utf8', env: cleanEnvironment() });
  expect(recorded).toMatchObject({ status: 5, stdout: 'done\n' });
});

test('a program with few descriptors, whose workers need each of them, gives up three at any rate', () => {
  const program = `const { readdirSync } = require('node:fs'), { start } = require(${JSON.stringify(ROOT)});
    const count = () => readdirSync('/proc/self/fd').length, before = count();
    const session = start({ intervalUs: 1000 }), taken = count() - before;
    session.stop().then(({ stats: { warnings } }) => console.log(JSON.stringify({ taken, warnings })));`;
  const limited = ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, '-e', program];
  const { stdout, stderr } = spawnSync('/bin/sh', limited, { encoding: 'utf8', env: cleanEnvironment() });
  expect(stderr).toBe('');
  const { taken, warnings } = JSON.parse(stdout);
  expect(taken).toBeLessThanOrEqual(3);
  if (taken > 0 && warnings.length > 0)
    expect(warnings.join('\n')).toMatch(
      /perf events would take file descriptors, of which this process may have only 100/,
    );
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;
asRoot(
  `rights that go away meanwhile: what is open suffices${process.getuid?.() === 0 ? '' : ' (NOT RUN: not root)'}`,
  () => {
    for (const way of ['process.setgid(65534); process.setuid(65534);', 'process.seteuid(65534);']) {
      const counts = run(`
      const session = spprof.start({ intervalUs: 1000 });
      let streamed = 0;
      burn(50); ${way}
      session.on('samples', (batch) => { streamed += batch.times?.length ?? 1; });
      burn(150);
      const snapshot = await session.snapshot();
      burn(50);
      const profile = await session.stop();
      console.log(JSON.stringify({ snapshot: snapshot.sampleCount, all: profile.sampleCount, streamed }));`);
      expect(counts.snapshot).toBeGreaterThan(5);
      expect(counts.all).toBeGreaterThan(counts.snapshot - 1);
      expect(counts.streamed).toBeGreaterThan(0);
    }
  },
);

// As after a chroot(), which nothing in Node.js itself makes.
asRoot(
  `a package whose files are out of reach by then can still stop${process.getuid?.() === 0 ? '' : ' (NOT RUN: not root)'}`,
  () => {
    const { samples, functions } = run(`
      const { Module } = require('node:module');
      const session = spprof.start({ intervalUs: 1000 });
      burn(100);
      Module._resolveFilename = (name) => { throw new Error('cannot find ' + name); };
      const profile = await session.stop();
      console.log(JSON.stringify({ samples: profile.sampleCount, functions: profile.functions.length }));`);
    expect(samples).toBeGreaterThan(5);
    expect(functions).toBeGreaterThan(0);
  },
);

describe('a region that is cut off by somebody', () => {
  const CUT = `
    burn(200);
    const session = spprof.start({ intervalUs: 1000, dir: DIR });
    burn(200);
    fs.truncateSync(path.join(session.directory, 'region'), SIZE);
    burn(200);
    new (require('node:worker_threads').Worker)('0', { eval: true });
    burn(100);
    const profile = await session.stop();
    console.log(JSON.stringify({ samples: profile.sampleCount, reason: profile.stats.shutdown.reason, warnings: profile.stats.warnings }));`;

  test.each([0, 4096, 100_000])('to %i bytes: the program runs on, the recording ends with its reason', (size) => {
    const dir = path.join(folder, `cut-${size}`);
    const outcome = run(CUT.replace('DIR', JSON.stringify(dir)).replace('SIZE', String(size)));
    expect(outcome).toMatchObject({ reason: 'lost', warnings: [expect.stringContaining('has ended early')] });
    expect(outcome.samples).toBeGreaterThan(5);
    const recovered = runCli(['recover', dir], { cwd: folder });
    expect({ signal: recovered.signal, internal: /internal/.test(recovered.stderr) }).toEqual({
      signal: null,
      internal: false,
    });
  });
});

describe('marks', () => {
  test('of any size up to the limit are kept whole', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const sizes = [0, 1, 8180, 8200, 65_000, 899_990];
    for (const size of sizes) session.mark(`of ${size}`, { detail: 'x'.repeat(size) });
    session.mark('é'.repeat(32_768));
    const profile = await session.stop();
    expect(profile.marks.map(({ detail }) => /** @type {string | undefined} */ (detail)?.length)).toEqual([
      ...sizes,
      undefined,
    ]);
    expect(profile.marks.at(-1)?.name).toBe('é'.repeat(32_768));
    expect(profile.stats.warnings).toEqual([]);
  });

  test('that cannot be kept throw an error with a code, and the recording goes on', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const cyclic = /** @type {Record<string, unknown>} */ ({});
    cyclic.self = cyclic;
    const wrong = /** @type {any[][]} */ ([
      ...[[''], [7], ['a', null], ['a', 7], ['a', { detail: () => {} }], ['a', { detail: Symbol('s') }]],
      ...[
        ['a', { detail: 7n }],
        ['a', { detail: cyclic }],
      ],
    ]);
    for (const [name, settings] of wrong) {
      expect(() => session.mark(name, settings)).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_OPTION_TYPE' }));
    }
    for (const size of [899_999, 70_000_000]) {
      expect(() => session.mark('big', { detail: 'x'.repeat(size) })).toThrow(
        expect.objectContaining({ code: 'ERR_SPPROF_TOO_LARGE' }),
      );
    }
    expect(() => session.mark('n'.repeat(65_537))).toThrow(expect.objectContaining({ code: 'ERR_SPPROF_TOO_LARGE' }));
    session.mark('after');
    expect((await session.stop()).marks.map(({ name }) => name)).toEqual(['after']);
  });

  test('too many at once: those that are not kept are counted', async () => {
    const session = spprof.start({ intervalUs: 1000 });
    const detail = 'x'.repeat(800_000);
    for (let i = 0; i < 300; i++) session.mark(`m${i}`, { detail });
    const profile = await session.stop();
    const lost = Number(/^(\d+) marks came too fast/m.exec(profile.stats.warnings.join('\n'))?.[1] ?? 0);
    expect(profile.marks.length + lost).toBe(300);
  });
});

test('a damaged mark leaves the log readable, and its text is shown', async () => {
  const session = spprof.start({ intervalUs: 1000, dir: path.join(folder, 'damaged') });
  loadBinding().mark('bad', '{"half":');
  session.mark('good', { detail: 1 });
  await session.stop();
  const profile = await spprof.readProfile(path.join(/** @type {string} */ (session.directory), 'log'));
  expect(profile.marks.map(({ name, detail }) => [name, detail])).toEqual([
    ['bad', '{"half":'],
    ['good', 1],
  ]);
});

test('a log with a damaged place: everything else is read, and a warning says how much is not', async () => {
  runCli(['-q', '-r', '1000', '--dir', 'whole', '-o', 'whole.cpuprofile', BUSY, '600'], { cwd: folder });
  const file = path.join(folder, 'whole', fs.readdirSync(path.join(folder, 'whole'))[0], 'log');
  const whole = await spprof.readProfile(file);
  const bytes = fs.readFileSync(file);
  const second = bytes.indexOf('CHNK', bytes.indexOf('CHNK', bytes.length >> 1) + 1);
  bytes[second + 60] ^= 4;
  fs.writeFileSync(`${file}.spprof`, bytes);
  const rest = await spprof.readProfile(`${file}.spprof`);
  expect(rest.stats.warnings.join('\n')).toMatch(/\d+ bytes of the log, in 1 places, are damaged/);
  expect(rest.stoppedCleanly).toBe(true);
  expect(rest.sampleCount).toBeGreaterThan(whole.sampleCount / 3);
});

test('a library whose notes are not mapped is listed without a build id', () => {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64')
    return void process.stdout.write('NOT RUN: an ELF library of x86-64 is altered\n');
  const library = path.join(folder, 'notes.node');
  const bytes = fs.readFileSync(require('../../lib/native/binding').findBinding());
  const headers = Number(bytes.readBigUInt64LE(32));
  let moved = 0;
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const at = headers + i * bytes.readUInt16LE(54);
    if (bytes.readUInt32LE(at) === 4) {
      bytes.writeBigUInt64LE(BigInt(0x7000000 + 0x1000 * moved++), at + 16); // p_vaddr of a PT_NOTE
      bytes.writeBigUInt64LE(4n, at + 48); // an alignment at which glibc does not look into it
    } else if (bytes.readUInt32LE(at) === 0x6474e553) bytes.writeUInt32LE(0, at); // PT_GNU_PROPERTY
  }
  expect(moved).toBeGreaterThan(0);
  fs.writeFileSync(library, bytes);
  const outcome = run(`
    const session = spprof.start({ intervalUs: 1000 });
    require(${JSON.stringify(library)});
    burn(200);
    const profile = await session.stop();
    console.log(JSON.stringify({ samples: profile.sampleCount }));`);
  expect(outcome.samples).toBeGreaterThan(5);
});

/** A file system of some megabytes, when this user may mount one. */
const mount = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-small-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', mount], { encoding: 'utf8' });
const why = mounted.status === 0 ? '' : ` (NOT RUN: no disk can be mounted here: ${String(mounted.stderr).trim()})`;
afterAll(() => {
  if (why === '') spawnSync('umount', ['-l', mount]);
  fs.rmdirSync(mount);
});
const onDisk = why === '' ? test : test.skip;

describe('a small disk', () => {
  const resize = (/** @type {string} */ size) => spawnSync('mount', ['-o', `remount,size=${size}`, mount]);

  onDisk(`that is full when the recording begins: the command and the program end as they should${why}`, () => {
    for (const size of ['4k', '8k', '64k', '300k']) {
      resize(size);
      const { status, signal } = runCli(['-q', '-o', path.join(mount, 'x.cpuprofile'), BUSY, '50', '5'], {
        ...{ cwd: folder, env: { TMPDIR: mount } },
      });
      expect({ size, status, signal }).toEqual({ size, status, signal: null });
      expect([2, 5]).toContain(status);
    }
  });

  onDisk(`with no room for the samples: that is said, and not that there are too many threads${why}`, () => {
    resize('200k');
    const { stderr } = runCli(['-o', path.join(mount, 'x.cpuprofile'), BUSY, '50', '5'], {
      ...{ cwd: folder, env: { TMPDIR: mount } },
    });
    expect(stderr).not.toContain('raise maxThreads');
    expect(stderr).toMatch(/no room for their samples: .*(space|ENOSPC)/i);
  });
});

test('a recording that cannot begin leaves nothing behind, and one line says why', () => {
  const place = fs.mkdtempSync(path.join(folder, 'place-'));
  const args = ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, CLI, '-o', 'begins.folded', BUSY, '50', '5'];
  const env = { ...cleanEnvironment(), TMPDIR: place };
  const { status, stdout, stderr } = spawnSync('bash', args, { cwd: folder, encoding: 'utf8', env });
  expect([status, stdout, fs.readdirSync(place)]).toEqual([5, 'done\n', []]);
  expect(stderr.match(/^spprof: this process is not recorded: .*File too large$/gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/cannot be read/);
});
