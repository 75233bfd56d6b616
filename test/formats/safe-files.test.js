'use strict';

/** Files that are read by a name that a program chose, and files that are written where others may write too. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { placeFrames } = require('../../lib/places/place-frames');
const { renameSynced, replaceFile } = require('../../lib/base/replace-file');
const { js } = require('../helpers/recording');
const { CLI, cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const write = (/** @type {string} */ text) => (/** @type {(chunk: string) => Promise<void>} */ put) => put(text);
const modeOf = (/** @type {string} */ file) => fs.statSync(file).mode & 0o777;

test('a script with the name of a FIFO or a device is not opened, nor is a map', async () => {
  const fifo = path.join(folder, 'fifo');
  expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
  const script = path.join(folder, 'a.js');
  fs.writeFileSync(script, 'function a(){}\n//# sourceMappingURL=fifo\n');
  for (const url of [fifo, '/dev/zero', '/proc/self/mem', '/proc/kmsg']) {
    const frames = [
      js('a', { url, line: 1 }),
      js('b', { url, line: 0, startOffset: 3, sourceLength: 30 }),
      js('c', { url: script, line: 1, column: 11 }),
    ];
    await placeFrames(frames);
    expect(frames[0].url).toBe(url);
  }
});

test.each(['written', 'renamed'])(
  'a file that is %s is synced before it has its name, and its folder afterwards',
  async (how) => {
    const { open, rename } = fs.promises;
    /** @type {string[]} */
    const steps = [];
    const from = path.join(folder, 'sync.log');
    const target = path.join(folder, 'sync.spprof');
    fs.writeFileSync(from, 'whole');
    jest.spyOn(fs.promises, 'open').mockImplementation(async (file, ...rest) => {
      const handle = await open(file, ...rest);
      const { sync } = handle;
      handle.sync = async () => {
        await sync.call(handle);
        steps.push(file === folder ? 'sync of the folder' : 'sync of the file');
      };
      return handle;
    });
    jest.spyOn(fs.promises, 'rename').mockImplementation(async (source, name) => {
      await rename(source, name);
      steps.push('rename');
    });
    try {
      if (how === 'renamed') await renameSynced(from, target);
      else await replaceFile(target, write('whole'));
    } finally {
      jest.restoreAllMocks();
    }
    expect(steps).toEqual(['sync of the file', 'rename', 'sync of the folder']);
    expect(fs.readFileSync(target, 'utf8')).toBe('whole');
  },
);

test('a new file is for its owner alone; one that exists keeps its rights', async () => {
  const file = path.join(folder, 'out.html');
  await replaceFile(file, write('one'));
  expect(modeOf(file)).toBe(0o600);
  fs.chmodSync(file, 0o640);
  await replaceFile(file, write('two'));
  expect(modeOf(file)).toBe(0o640);
  expect(fs.readFileSync(file, 'utf8')).toBe('two');
  expect(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('where the folder takes no files, one that is there is written in place, by the command too', () => {
  const closed = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-closed-'));
  const file = path.join(closed, 'out.collapsed');
  fs.writeFileSync(file, 'former');
  fs.chmodSync(file, 0o666);
  fs.chmodSync(closed, 0o555);
  // Root may write anywhere; of other users, who can read this checkout is not known.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const program = 'for (const end = Date.now() + 100; Date.now() < end; );';
  const run = spawnSync(process.execPath, [CLI, '-q', '-o', file, '--', process.execPath, '-e', program], {
    ...{ cwd: '/', encoding: 'utf8', env: { ...cleanEnvironment(), HOME: '/' } },
    ...user,
  });
  const left = fs.readdirSync(closed);
  const content = fs.readFileSync(file, 'utf8');
  fs.chmodSync(closed, 0o755);
  fs.rmSync(closed, { recursive: true });
  if (run.stderr.includes('Cannot find module')) {
    console.warn('not tried: another user cannot read this checkout');
    return;
  }
  expect({ status: run.status, stderr: run.stderr, left }).toEqual({ status: 0, stderr: '', left: ['out.collapsed'] });
  expect(content).toMatch(/^.+ \d+$/m);
});

test('an own link is followed, another user’s is replaced', async () => {
  const victim = path.join(folder, 'victim');
  const link = path.join(folder, 'link');
  fs.writeFileSync(victim, 'old');
  fs.symlinkSync(victim, link);
  await replaceFile(link, write('own'));
  expect(fs.readFileSync(victim, 'utf8')).toBe('own');
  if (process.getuid?.() !== 0) {
    console.warn('not tried as another user: only root can make a link of one');
    return;
  }
  fs.lchownSync(link, 65534, 65534);
  await replaceFile(link, write('foreign'));
  expect(fs.readFileSync(victim, 'utf8')).toBe('own');
  expect(fs.lstatSync(link).isFile()).toBe(true);
});

test('another user’s file in a shared folder is replaced, and its rights are not taken over', async () => {
  if (process.getuid?.() !== 0) {
    console.warn('not tried: only root can make a file of another user');
    return;
  }
  const stranger = 65534;
  const shared = fs.mkdtempSync(path.join(folder, 'shared-'));
  for (const owner of [0, stranger]) {
    fs.chownSync(shared, owner, owner);
    const [file, fifo] = ['out.html', 'out.fifo'].map((name) => path.join(shared, `${owner}-${name}`));
    fs.writeFileSync(file, 'bait');
    fs.chmodSync(file, 0o666);
    fs.chownSync(file, stranger, stranger);
    await replaceFile(file, write('secret'));
    // In a folder of that user's own the file stays that user's.
    expect([owner, fs.statSync(file).uid, modeOf(file)]).toEqual([owner, owner, owner === 0 ? 0o600 : 0o666]);
    if (owner !== 0) continue;
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    fs.chownSync(fifo, stranger, stranger);
    await replaceFile(fifo, write('secret'));
    expect([fs.lstatSync(fifo).isFile(), modeOf(fifo)]).toEqual([true, 0o600]);
  }
});

test('/dev/stdout is written where the descriptor is, and appended where that was asked for', () => {
  const file = path.join(folder, 'all.txt');
  fs.writeFileSync(file, 'precious\n');
  const script = `require(${JSON.stringify(require.resolve('../../lib/base/replace-file'))}).replaceFile('/dev/stdout', (put) => put('more\\n'))`;
  const run = spawnSync('sh', ['-c', `"$0" -e "$1" >> "$2"`, process.execPath, script, file], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(fs.readFileSync(file, 'utf8')).toBe('precious\nmore\n');
  expect(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout).toBe('more\n');
});

test('a file whose handle cannot be synced is written all the same', async () => {
  const handle = await fs.promises.open(__filename);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  prototype.sync = () => Promise.reject(new Error('Method not implemented.'));
  try {
    await replaceFile(path.join(folder, 'pnp.html'), write('whole'));
  } finally {
    prototype.sync = sync;
  }
  expect(fs.readFileSync(path.join(folder, 'pnp.html'), 'utf8')).toBe('whole');
});
