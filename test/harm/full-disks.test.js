'use strict';

/**
 * A disk that fills up under a recorded program (H1): it ends as it would without us, whatever the file system promises about room.
 * Each is a file of some megabytes, mounted for the test.
 */

const { spawn, spawnSync } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');
const MB = 2 ** 20;

// Compiles and runs something new in each turn, until its input ends; so definitions and samples go on being written.
const PROGRAM = `
  let turns = 0, isOver = false;
  process.stdin.on('end', () => { isOver = true; }).resume();
  function work(n) { return n < 2 ? n : work(n - 1) + work(n - 2); }
  function turn() {
    for (const end = process.cpuUsage().user + 50_000; process.cpuUsage().user < end;)
      new Function('a', 'return a + ' + turns++)(work(18));
    require('node:fs').writeSync(1, '.');
    if (isOver) process.exitCode = 5;
    else setImmediate(turn);
  }
  turn();`;

const DISKS = [
  { type: 'btrfs', make: ['mkfs.btrfs', '-q', '-M'], options: 'loop', bytes: 130 * MB },
  { type: 'btrfs', make: ['mkfs.btrfs', '-q', '-M'], options: 'loop,compress=zstd', bytes: 130 * MB },
  { type: 'ext4', make: ['mke2fs', '-q', '-F', '-t', 'ext4'], options: 'loop', bytes: 40 * MB },
  { type: 'ext2', make: ['mke2fs', '-q', '-F', '-t', 'ext2'], options: 'loop', bytes: 40 * MB },
  { type: 'vfat', make: ['mkfs.vfat'], options: 'loop', bytes: 40 * MB },
];

/** Fills it to the last byte that it gives. @param {string} mount */
function fill(mount) {
  const sizes = [MB, 65_536, 4096, 1];
  const files = sizes.map((size) => ({ size, fd: fs.openSync(path.join(mount, `fill-${size}`), 'w') }));
  for (const { size, fd } of files) {
    const bytes = randomBytes(size); // Which no file system compresses.
    try {
      for (;;) fs.writeSync(fd, bytes);
    } catch (error) {
      expect(/** @type {NodeJS.ErrnoException} */ (error).code).toBe('ENOSPC');
    }
    fs.closeSync(fd);
  }
  spawnSync('sync', ['-f', mount]);
}

/** Waits for so many turns more, of 50 ms of CPU time each, or the end. @param {import('node:stream').Readable} output @param {number} count */
async function turns(output, count) {
  let seen = 0;
  for await (const text of output.iterator({ destroyOnReturn: false })) {
    seen += text.length;
    if (seen >= count) return;
  }
}

/** @param {string} mount @returns {string[]} files of a recording */
function recordedFiles(mount) {
  const all = /** @type {string[]} */ (fs.readdirSync(mount, { recursive: true }));
  return all.filter((name) => /(^|\/)(log|region)$/.test(name)).map((name) => path.join(mount, name));
}

test.each(DISKS)(
  '$type ($options) that fills up: the program ends with its own status',
  async (disk) => {
    const mount = fs.mkdtempSync(path.join(folder, 'mount-'));
    const image = `${mount}.image`;
    fs.writeFileSync(image, '');
    fs.truncateSync(image, disk.bytes);
    const [maker, ...args] = [...disk.make, image];
    const made = spawnSync(maker, args, { encoding: 'utf8' });
    const mounted = spawnSync('mount', ['-t', disk.type, '-o', disk.options, image, mount], { encoding: 'utf8' });
    if (made.status !== 0 || mounted.status !== 0) {
      const why = made.error?.message ?? `${made.stderr}${mounted.stderr}`.trim();
      return void process.stdout.write(`NOT RUN: no ${disk.type} can be made and mounted here: ${why}\n`);
    }
    /** @type {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null> | null} */
    let child = null;
    try {
      const settings = { SPPROF_DIR: path.join(mount, 'raw'), SPPROF_INTERVAL: '200us', SPPROF_MAX_OVERHEAD: '100' };
      child = spawn(process.execPath, ['--require', REGISTER, '-e', PROGRAM], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...cleanEnvironment(), ...settings },
      });
      const ended = once(child, 'exit');
      await turns(child.stdout, 10);
      fill(mount);
      await turns(child.stdout, 20);
      child.stdin.end();
      child.stdout.resume();
      expect(await ended).toEqual([5, null]);
      const [log, region] = recordedFiles(mount).sort();
      expect(fs.statSync(log).size).toBeGreaterThan(1000);
      // A page of btrfs can be refused after its room was reserved: such a region is not there.
      if (disk.type === 'btrfs') expect(fs.lstatSync(region).isSymbolicLink()).toBe(true);
      const report = runCli(['report', log], { cwd: folder });
      expect(report).toMatchObject({ status: 0, signal: null });
      expect(report.stdout).toMatch(/work/);
      for (const name of fs.readdirSync(mount)) if (name.startsWith('fill-')) fs.rmSync(path.join(mount, name));
      const shared = fs.realpathSync(region);
      runCli(['recover', path.join(mount, 'raw')], { cwd: folder });
      expect(fs.existsSync(shared)).toBe(shared.startsWith(mount)); // Nothing stays in memory for good.
    } finally {
      child?.kill('SIGKILL');
      spawnSync('umount', ['-l', mount]);
    }
  },
  180_000,
);
