'use strict';

/** Where outputs go, with which rights, and that names in them never act on a terminal. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { visible } = require('../../lib/base/visible');
const { replaceFile } = require('../../lib/base/replace-file');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const folder = temporaryFolder();
const input = path.join(folder, 'in.collapsed');
fs.writeFileSync(input, 'main;work 7\nmain;rest 3\n');

/** @param {string} script run by a shell with $SPPROF @returns {{ status: number | null, stdout: string, stderr: string }} */
function shell(script) {
  const env = { ...cleanEnvironment(), SPPROF: `"${process.execPath}" "${CLI}"` };
  return spawnSync('bash', ['-c', `spprof() { eval $SPPROF '"$@"'; }\n${script}`], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
}

describe('names', () => {
  test('show what would act on a terminal', () => {
    expect(visible('a\u001b]0;title\u0007b\u009bc\u007f')).toBe('a\\x1b]0;title\\x07b\\x9bc\\x7f');
    expect(visible('a\nb\rc\td')).toBe('a\\nb\\rc\\td');
    expect(visible('\u202eabc\u2066')).toBe('\\u202eabc\\u2066');
    expect(visible('añ日本語 «»')).toBe('añ日本語 «»');
  });

  test('of a file reach no terminal: report, tree, diff, messages', () => {
    const evil = path.join(folder, 'evil.cpuprofile');
    const callFrame = (/** @type {string} */ name) => ({
      functionName: name,
      scriptId: '1',
      url: 'file:///a\u001b[2Jb.js',
      lineNumber: 1,
      columnNumber: 1,
    });
    const nodes = [
      { id: 1, callFrame: callFrame('(root)'), children: [2] },
      { id: 2, callFrame: callFrame('x\u001b]0;owned\u0007\n  99.9 % forged row\u009b2J'), children: [] },
    ];
    const profile = { nodes, startTime: 0, endTime: 3000, samples: [2, 2, 2], timeDeltas: [0, 1000, 1000] };
    fs.writeFileSync(evil, JSON.stringify(profile));
    const runs = [
      runCli(['report', evil]),
      runCli(['report', '--tree', evil]),
      runCli(['diff', input, evil]),
      runCli(['report', path.join(folder, 'no\u001b[31m\nsuch')]),
      runCli(['--no-such\u001b[31m']),
    ];
    for (const { stdout, stderr } of runs) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      expect(stdout).not.toMatch(/^ *99\.9 % forged row/m);
    }
    expect(runs[0].stdout).toMatch(/x\\x1b]0;owned/);
  });
});

describe('an output', () => {
  test('that is new can be read by its owner alone; one that exists keeps its mode', () => {
    const fresh = path.join(folder, 'fresh.html');
    const kept = path.join(folder, 'kept.html');
    fs.writeFileSync(kept, 'before', { mode: 0o640 });
    fs.chmodSync(kept, 0o640);
    expect(runCli(['convert', input, '-o', fresh, '-o', kept]).status).toBe(0);
    expect(fs.statSync(fresh).mode & 0o777).toBe(0o600);
    expect(fs.statSync(kept).mode & 0o777).toBe(0o640);
  });

  test('is never written through a link that lies beside it', async () => {
    const victim = path.join(folder, 'victim');
    fs.writeFileSync(victim, 'mine');
    const target = path.join(folder, 'linked.txt');
    fs.symlinkSync(victim, `${target}.${process.pid}.tmp`);
    /** @type {string[]} */
    let during = [];
    await replaceFile(target, async (write) => {
      during = fs.readdirSync(folder).filter((name) => name.endsWith('.tmp') && name.startsWith('.'));
      await write('text');
    });
    expect(fs.readFileSync(victim, 'utf8')).toBe('mine');
    expect(fs.readFileSync(target, 'utf8')).toBe('text');
    expect(during).toEqual([expect.stringMatching(/^\.spprof-[0-9a-f]{16}\.tmp$/)]);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.spprof-'))).toEqual([]);
  });

  test('that fails leaves the former file, and nothing beside it', async () => {
    const target = path.join(folder, 'former.txt');
    fs.writeFileSync(target, 'before');
    const failing = replaceFile(target, () => Promise.reject(new Error('no more')));
    await expect(failing).rejects.toThrow('no more');
    expect(fs.readFileSync(target, 'utf8')).toBe('before');
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.spprof-'))).toEqual([]);
  });

  test('to /dev/stdout goes into the pipe, and nothing else does', () => {
    const { status, stdout } = shell('spprof convert in.collapsed -f collapsed -o /dev/stdout | cat');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n').sort()).toEqual([
      expect.stringMatching(/rest \d+$/),
      expect.stringMatching(/work \d+$/),
    ]);
    expect(fs.lstatSync('/dev/stdout').isSymbolicLink()).toBe(true);
  });

  test.each([
    ['>', ''],
    ['>>', 'old\n'],
  ])('to /dev/stdout in a file (%s) keeps what others write to it', (redirection, before) => {
    fs.writeFileSync(path.join(folder, 'all.txt'), before);
    shell(`{ echo head; spprof convert in.collapsed -f collapsed -o /dev/stdout; echo foot; } ${redirection} all.txt`);
    const lines = fs.readFileSync(path.join(folder, 'all.txt'), 'utf8').trim().split('\n');
    const [first, ...rest] = before === '' ? lines : lines.slice(1);
    expect(lines[0]).toBe(before === '' ? 'head' : 'old');
    expect(first).toBe('head');
    expect(rest.at(-1)).toBe('foot');
    expect(rest.slice(0, -1).sort()).toEqual([expect.stringMatching(/rest/), expect.stringMatching(/work/)]);
  });

  test('to >(a command) is read by it', () => {
    const { status, stdout } = shell(
      'spprof convert in.collapsed -f collapsed -o >(sort > sorted.txt); wait $!; cat sorted.txt',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/rest[\s\S]*work/);
  });

  test('is written where files cannot be synced', () => {
    // What Yarn's Plug'n'Play puts in place of FileHandle.sync().
    const { status, stderr } = shell(`cat > no-sync.js <<'EOF2'
const fs = require('node:fs');
const { open } = fs.promises;
fs.promises.open = async (...args) => {
  const handle = await open.apply(fs.promises, args);
  handle.sync = handle.datasync = async () => { throw new Error('Method not implemented.'); };
  return handle;
};
EOF2
NODE_OPTIONS="--require ./no-sync.js" spprof convert in.collapsed -o synced.html`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fs.statSync(path.join(folder, 'synced.html')).size).toBeGreaterThan(1000);
  });
});
