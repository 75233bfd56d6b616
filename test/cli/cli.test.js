'use strict';

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { quoteNodeOption } = require('../../lib/cli/command');
const { FORMAT_NAMES } = require('../../lib/exporters/formats');
const { OPTIONS } = require('../../lib/options/options');
const { version } = require('../../package.json');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

describe('help and version', () => {
  test('--help names every verb, option and format', () => {
    const { status, stdout, stderr } = runCli(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    for (const { flag, env } of Object.values(OPTIONS)) {
      if (flag !== undefined) expect(stdout).toContain(`--${flag}`);
      expect(stdout).toContain(env);
    }
    for (const verb of ['record', 'report', 'convert', 'recover', 'view', 'diff', ...FORMAT_NAMES])
      expect(stdout).toContain(verb);
  });

  test('no argument prints the help too; --version the version', () => {
    expect(runCli([]).stdout).toBe(runCli(['--help']).stdout);
    expect(runCli(['--version']).stdout).toBe(`${version}\n`);
    expect(runCli(['recover', '--help']).stdout).toMatch(/Usage: spprof recover/);
  });
});

describe('wrong use is one line, status 2, and nothing is started', () => {
  const marker = path.join(folder, 'started');
  const program = ['-e', `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`];
  const locked = path.join(folder, 'locked.cpuprofile');
  const loop = path.join(folder, 'loop.html');
  fs.mkdirSync(locked);
  fs.symlinkSync(loop, loop);

  test.each([
    ['a bad option', ['--interal', '5', process.execPath, ...program], /did you mean --interval/],
    ['a bad value', ['-i', 'soon', process.execPath, ...program], /--interval must be/],
    ['a profile that is not there', ['view', 'a.cpuprofile'], /cannot read .*a\.cpuprofile: no such file/],
    ['no command', ['-q'], /no command to record/],
    ['a command that is not there', ['no-such-command-here'], /"no-such-command-here": it is not in PATH/],
    ['a script that is not there', ['no-such-script.js'], /"no-such-script.js": no such file/],
    ['a path that is not there', ['./no/such'], /"\.\/no\/such": no such file/],
    ['a file that is no program', ['./data'], /permission denied/],
    ['an output in no folder', ['-o', 'no/such/x.cpuprofile', process.execPath, ...program], /cannot write .*make it/],
    ['an output that is a folder', ['-o', locked, process.execPath, ...program], /it is a folder/],
    [
      'an output whose name is too long',
      ['-o', `${'x'.repeat(300)}.html`, process.execPath, ...program],
      /cannot write/,
    ],
    ['an output that is a loop of links', ['-o', loop, process.execPath, ...program], /cannot write .*links/],
    ['a summary that is a loop of links', [`--json=${loop}`, process.execPath, ...program], /cannot write .*links/],
    ['an unknown extension', ['-o', 'x.xyz', process.execPath, ...program], /cannot tell the format of "x.xyz"/],
    [
      'a folder that cannot be',
      ['--dir', path.join(locked, '..', 'data', 'x'), process.execPath, ...program],
      /cannot write/,
    ],
    ['a recording that is not there', ['report', 'none.spprof'], /cannot read .*none\.spprof: no such file/],
    ['a folder without a recording', ['recover', '.'], /there is no recording in it/],
  ])('%s', (_, args, message) => {
    fs.writeFileSync(path.join(folder, 'data'), 'x', { mode: 0o600 });
    const { status, stdout, stderr } = runCli(args, { cwd: folder });
    expect(stderr).toMatch(/^spprof: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, '']);
    expect(fs.existsSync(marker)).toBe(false);
    expect(fs.readdirSync(folder).sort()).toEqual(['data', 'locked.cpuprofile', 'loop.html']);
  });

  test('a file here that was meant is named', () => {
    fs.writeFileSync(path.join(folder, 'data'), 'x');
    expect(runCli(['data'], { cwd: folder }).stderr).toMatch(/did you mean \.\/data\?/);
  });

  test('a file that is no recording is refused', () => {
    fs.writeFileSync(path.join(folder, 'data'), 'x'.repeat(1000));
    const { status, stderr } = runCli(['report', 'data'], { cwd: folder });
    expect(stderr).toMatch(/^spprof: [^\n]+\n$/);
    expect(status).toBe(2);
  });
});

test('a command that is not Node runs, and one line says that nothing was recorded', () => {
  const { status, stderr } = runCli(['-o', 'x.cpuprofile', 'sh', '-c', 'exit 5'], { cwd: folder });
  expect(status).toBe(5);
  expect(stderr).toMatch(
    /^spprof: nothing was recorded of "sh" \([^)]+ of CPU time\): no process of it loaded spprof, [^\n]+\n$/,
  );
  expect(fs.readdirSync(folder).filter((name) => name.startsWith('.spprof'))).toEqual([]);
});

test('a path with blanks, quotes and backslashes survives NODE_OPTIONS', () => {
  const file = path.join(folder, 'a "b" \\c.js');
  fs.writeFileSync(file, 'globalThis.preloaded = true;');
  const env = { ...cleanEnvironment(), NODE_OPTIONS: `--require ${quoteNodeOption(file)}` };
  expect(execFileSync(process.execPath, ['-p', 'globalThis.preloaded'], { env, encoding: 'utf8' })).toBe('true\n');
  fs.rmSync(file);
});

describe('whoever reads what it writes may go before it ends', () => {
  const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
  const log = path.join(folder, 'gone.spprof');

  /** Runs the command with its streams given to a shell: `{}` stands for it. @param {string} line @param {string[]} args */
  function inShell(line, ...args) {
    const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
    return spawnSync('sh', ['-c', line.replace('{}', command)], { encoding: 'utf8', env: cleanEnvironment() });
  }

  test('the exit status is the program’s', () => {
    const { stdout } = inShell(
      'exec 3>&1; { {} ; echo "$?" >&3; } 2>&1 | true',
      '-o',
      log,
      'node',
      '-e',
      'process.exitCode = 5',
    );
    expect(stdout).toBe('5\n');
    expect(fs.existsSync(log)).toBe(true);
  });

  test('a report of which only the head is read is no error', () => {
    const { stdout, stderr } = inShell('exec 3>&1; { {} ; echo "$?" >&3; } | true', 'report', log);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });

  test('a report that cannot be written is one', () => {
    const { status, stderr } = inShell('{} > /dev/full', 'report', log);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'spprof: standard output: no space left on the device\n' });
  });
});
