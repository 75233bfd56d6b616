'use strict';

/** What is published is never lost; what cannot be kept is said; and the program never notices. */

const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const spprof = require('../..');
const { expectBalance } = require('../helpers/balance');
const { CLI, cleanEnvironment, runCli, startCli, temporaryFolder } = require('../helpers/run-cli');

// What is lost once in a hundred runs is lost.
jest.retryTimes(0);

const PROGRAMS = path.join(__dirname, '..', 'programs');
const BUSY = path.join(PROGRAMS, 'busy.js');
const folder = temporaryFolder();

/** Until something holds, but not for ever. @param {() => boolean} isSo */
async function until(isSo) {
  const deadline = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${isSo}`);
    await new Promise(setImmediate);
  }
}

/** Marsaglia's xorshift32. @param {number} seed */
function randomOf(seed) {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

const SEED = Number(process.env.SPPROF_TEST_SEED ?? Date.now() % 1e9);

describe(`SIGKILL at a random moment (SPPROF_TEST_SEED=${SEED})`, () => {
  const rounds = Number(process.env.SPPROF_TEST_ROUNDS ?? 12);
  const random = randomOf(SEED);

  test(`${rounds} times, no published sample is missing, and every file can be read`, async () => {
    let published = 0;
    for (let round = 0; round < rounds; round++) {
      const dir = path.join(folder, `kill-${round}`);
      const file = path.join(folder, `kill-${round}.count`);
      const child = spawn(process.execPath, [path.join(PROGRAMS, 'published.js'), dir, file], {
        ...{ stdio: 'ignore', env: cleanEnvironment() },
      });
      const noted = () => (fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0);
      const wanted = 1 + Math.floor(random() * 150);
      await until(() => noted() >= wanted);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const atLeast = noted();
      const { status, stderr } = runCli(['recover', dir], { cwd: folder });
      expect({ round, status, stderr }).toEqual({ round, status: 0, stderr: '' });
      const profile = await spprof.readProfile(path.join(dir, fs.readdirSync(dir)[0], 'log'));
      expect(profile.sampleCount).toBeGreaterThanOrEqual(atLeast);
      expect(profile.stats.stacksLost).toBe(0);
      expectBalance(profile.stats);
      expect(profile.stats.warnings).toEqual([]);
      published += atLeast;
      fs.rmSync(dir, { recursive: true });
    }
    process.stdout.write(`${rounds} kills, ${published} samples published before them, none missing\n`);
  }, 600_000);
});

test('a recording whose command was killed too is recovered later', async () => {
  const { child } = await startCli(
    ['--dir', 'both', '-o', 'both.cpuprofile', path.join(PROGRAMS, 'endless.js'), 'loop'],
    {
      cwd: folder,
    },
  );
  const [name] = fs.readdirSync(path.join(folder, 'both'));
  const pid = Number.parseInt(name, 10);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // While the program runs on, its recording is its own.
  const early = runCli(['recover', 'both'], { cwd: folder });
  expect(early).toMatchObject({ status: 2, stderr: expect.stringContaining(`process ${pid} still runs`) });
  process.kill(pid, 'SIGKILL');
  await until(() => !fs.existsSync(`/proc/${pid}`) || /\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1')));
  const { status, stdout } = runCli(['recover', 'both'], { cwd: folder });
  expect(status).toBe(0);
  expect(stdout).toMatch(/both\/\d+-1\/log: [\d,]+ bytes recovered/);
  const report = runCli(['report', path.join('both', name)], { cwd: folder });
  expect(report.stdout).toContain('endlessLoop');
  expect(report.stdout).toContain('cut off; complete up to the last sample');
});

describe(`a damaged recording (SPPROF_TEST_SEED=${SEED})`, () => {
  const random = randomOf(SEED + 1);
  /** @type {Buffer} */
  let log;
  /** @type {Buffer} */
  let region;
  let samples = 0;

  beforeAll(async () => {
    runCli(['-q', '--dir', 'good', '-o', 'good.cpuprofile', BUSY, '300', 'SIGKILL'], { cwd: folder });
    const [name] = fs.readdirSync(path.join(folder, 'good'));
    log = fs.readFileSync(path.join(folder, 'good', name, 'log'));
    region = fs.readFileSync(path.join(folder, 'good', name, 'region')).subarray(0, 1 << 20);
    samples = (await spprof.readProfile(path.join(folder, 'good', name, 'log'))).sampleCount;
    expect(samples).toBeGreaterThan(15);
  });

  test('cut off anywhere, it is read up to there, or refused with its name', async () => {
    const file = path.join(folder, 'cut.spprof');
    for (let i = 0; i < 60; i++) {
      fs.writeFileSync(file, log.subarray(0, Math.floor(random() * log.length)));
      try {
        const profile = await spprof.readProfile(file);
        expect(profile.sampleCount).toBeLessThanOrEqual(samples);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_SPPROF_BAD_RECORDING' });
      }
    }
  });

  test('with flipped bytes, what is told is from good chunks, or it is refused', async () => {
    const file = path.join(folder, 'flipped.spprof');
    for (let i = 0; i < 60; i++) {
      const copy = Buffer.from(log);
      for (let k = 0; k < 1 + random() * 8; k++)
        copy[Math.floor(random() * copy.length)] ^= 1 << Math.floor(random() * 8);
      fs.writeFileSync(file, copy);
      try {
        const profile = await spprof.readProfile(file);
        expect(profile.sampleCount).toBeLessThanOrEqual(samples);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_SPPROF_BAD_RECORDING' });
      }
    }
  });

  test('a damaged region is recovered from, or refused, and never a crash', () => {
    const dir = path.join(folder, 'bad-region', '999999999-1');
    fs.mkdirSync(dir, { recursive: true });
    for (let i = 0; i < 12; i++) {
      const copy = Buffer.from(region);
      for (let k = 0; k < 1 + random() * 60; k++) copy[Math.floor(random() * 20_000)] = Math.floor(random() * 256);
      fs.writeFileSync(path.join(dir, 'region'), copy);
      fs.writeFileSync(path.join(dir, 'log'), log);
      const { status, signal, stderr } = runCli(['recover', dir], { cwd: folder });
      expect({ signal, known: status === 0 || status === 2, stderr: /internal error/.test(stderr) }).toEqual({
        ...{ signal: null, known: true, stderr: false },
      });
    }
  });

  test('a foreign file is refused with its name and the reason', () => {
    fs.writeFileSync(path.join(folder, 'foreign.spprof'), 'not a recording\n'.repeat(100));
    const { status, stderr } = runCli(['report', 'foreign.spprof'], { cwd: folder });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^spprof: .*foreign\.spprof.*\n$/);
  });
});

/** A small disk, when this user may mount one. */
const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'none', disk], { encoding: 'utf8' });
afterAll(() => {
  if (mounted.status === 0) execFileSync('umount', ['-l', disk]);
  fs.rmdirSync(disk);
});
const why = mounted.status === 0 ? '' : ` (NOT RUN: no disk can be mounted here: ${String(mounted.stderr).trim()})`;

describe('where there is no room', () => {
  (why === '' ? test : test.skip)(`a full disk: the program runs on, one warning says so${why}`, () => {
    const args = ['--dir', disk, '-r', '10000', '-o', 'full.cpuprofile', BUSY, '900', '5'];
    const run = runCli(args, { cwd: folder });
    expect(run.stdout).toBe('done\n');
    expect(run.status).toBe(5);
    expect(run.stderr.match(/No space left|not sampled|not recorded/g)?.length ?? 0).toBeGreaterThanOrEqual(1);
  });

  test('a limit on the size of files: the program runs on, and what was kept can be read', () => {
    const run = spawnSync(
      '/bin/sh',
      [
        '-c',
        'ulimit -f 600; exec "$0" "$@"',
        process.execPath,
        CLI,
        '-r',
        '10000',
        '-o',
        'limited.cpuprofile',
        BUSY,
        '900',
        '5',
      ],
      { ...{ cwd: folder, encoding: 'utf8', timeout: 60_000 }, env: cleanEnvironment() },
    );
    expect(run.stdout).toBe('done\n');
    expect(run.status).toBe(5);
    expect(run.stderr).toMatch(/File too large|not recorded|not sampled|cannot write/);
  });

  test('a folder that cannot be written: said before the program starts', () => {
    const run = runCli(['--dir', '/proc/spprof', BUSY, '10'], { cwd: folder });
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toMatch(/^spprof: cannot write \/proc\/spprof: .*\n$/);
  });

  test('a folder that is removed meanwhile: the program runs on, and the command says what is gone', () => {
    const script = path.join(folder, 'remove.js');
    fs.writeFileSync(
      script,
      `require('node:fs').rmSync(process.env.SPPROF_DIR, { recursive: true });
       const end = process.cpuUsage().user + 2e5; while (process.cpuUsage().user < end);
       console.log('done'); process.exit(5);`,
    );
    const run = runCli(['--dir', 'removed', '-o', 'removed.cpuprofile', script], { cwd: folder });
    expect(run.stdout).toBe('done\n');
    expect(run.status).toBe(5);
    expect(run.stderr).toMatch(/^spprof: .*removed.*\n$/);
  });
});
