'use strict';

/**
 * Signals to the command: the program gets each that can be caught, as if it had been started without us, and the command ends
 * as the program does.
 */

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');
const { endingSignal, shellStatus, signalName } = require('../../lib/cli/io/signals');
const { stateOf, until } = require('../helpers/processes');
const { CLI, cleanEnvironment, runCli, startCli, temporaryFolder } = require('../helpers/run-cli');

jest.retryTimes(0);

const folder = temporaryFolder();

/** @param {string} name @param {string} source */
function program(name, source) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, source);
  return file;
}

const WAITS = program('waits.js', 'setInterval(() => {}, 1000); console.log(process.pid);');
/** Listens for all that Node.js has a name for; ends with 7 when it is told to. */
const LISTENS = program(
  'listens.js',
  `const { signals } = require('node:os').constants;
  for (const name of Object.keys(signals)) {
    try { process.on(name, () => console.log(name)); } catch { /* it cannot be caught */ }
  }
  process.on('SIGTERM', () => process.exit(7));
  console.log(process.pid);
  setInterval(() => {}, 1000);`,
);

/** Those that end a program by default, and that Node.js leaves alone; SIGRTMIN, some between, SIGRTMAX. */
const FATAL = [
  'SIGQUIT',
  'SIGALRM',
  'SIGUSR2',
  'SIGVTALRM',
  'SIGABRT',
  'SIGSEGV',
  'SIGPWR',
  'SIGXCPU',
  'SIGIO',
  'SIGTRAP',
];
const REAL_TIME = [34, 40, 50, 64];

test.each([...FATAL.map((name) => Reflect.get(constants.signals, name)), ...REAL_TIME])(
  'signal %i ends the program, the profile is written, and the status says which signal',
  async (number) => {
    const name = `${number}.cpuprofile`;
    const { child, firstOutput, ended } = await startCli(['-q', '-o', name, WAITS], { cwd: folder });
    process.kill(Number(child.pid), number);
    expect(await ended).toEqual({ status: 128 + number, signal: null, stderr: '' });
    expect(stateOf(Number(firstOutput))).toBe('');
    expect(JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))['x-spprof'].pid).toBe(Number(firstOutput));
    expect(fs.readdirSync(folder).filter((each) => each.startsWith('.spprof-'))).toEqual([]);
  },
);

test('a program that listens gets each signal once for each time, and ends with its own status', async () => {
  const { child, ended } = await startCli(['-q', '-o', 'all.cpuprofile', LISTENS], { cwd: folder });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const names = ['SIGHUP', 'SIGHUP', 'SIGHUP', 'SIGINT', 'SIGINT', 'SIGINT', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGALRM'];
  const all = [...names, 'SIGVTALRM', 'SIGWINCH', 'SIGURG', 'SIGCONT', 'SIGXFSZ', 'SIGPIPE', 'SIGSTKFLT', 'SIGUSR1'];
  let lines = 0;
  for (const name of all) {
    child.kill(/** @type {NodeJS.Signals} */ (name));
    lines++;
    await until(() => output.split('\n').length > lines, `line ${lines}, ${name}`);
  }
  child.kill('SIGTERM');
  expect(await ended).toEqual({ status: 7, signal: null, stderr: '' });
  expect(output.trim().split('\n')).toEqual([...all, 'SIGTERM']);
});

test('a real-time signal reaches a program that catches it', async () => {
  const script = 'trap "echo caught; exit 5" RTMIN+16; echo ready; while :; do sleep 0.02; done';
  const { child, ended } = await startCli(['-q', '-o', 'rt.cpuprofile', 'bash', '-c', script], { cwd: folder });
  process.kill(Number(child.pid), 50);
  expect(await ended).toMatchObject({ status: 5 });
});

test('a signal of which the program dies by itself is told with its name, a real-time one too', () => {
  const kills = (/** @type {string} */ signal) =>
    `require('node:child_process').spawnSync('kill', ['${signal}', process.pid])`;
  const dies = program('dies.js', `${kills('-50')}; for (;;);`);
  const run = runCli(['--json', '-o', 'dies.cpuprofile', dies], { cwd: folder });
  expect(run.status).toBe(178);
  expect(JSON.parse(run.stderr)).toMatchObject({ exitCode: null, signal: 'SIGRTMIN+16' });
  // SIGTERM that was not sent to spprof is no end that somebody asked of it.
  const other = program('other.js', `${kills('-TERM')}; for (;;);`);
  expect(runCli(['-q', '-o', 'other.cpuprofile', other], { cwd: folder }).status).toBe(143);
});

test('SIGTSTP stops both, SIGCONT lets both go on', async () => {
  const { child, firstOutput, ended } = await startCli(['-q', '-o', 'stop.cpuprofile', WAITS], { cwd: folder });
  const pids = [Number(child.pid), Number(firstOutput)];
  child.kill('SIGTSTP');
  // A session of its own without a terminal is an orphaned group, in which the kernel ignores SIGTSTP: then both run on.
  child.kill('SIGCONT');
  child.kill('SIGSTOP');
  await until(() => stateOf(pids[0]) === 'T', 'spprof stops');
  child.kill('SIGCONT');
  await until(() => pids.every((pid) => stateOf(pid) === 'S' || stateOf(pid) === 'R'), 'both run');
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ status: 0 });
});

test('what spprof does itself stays its own: a crash of the command is one', () => {
  const script = `require(${JSON.stringify(path.join(__dirname, '..', '..', 'lib', 'cli', 'io', 'signals.js'))}).catchSignals();
    process.kill(process.pid, process.argv[1]); for (;;);`;
  for (const name of /** @type {const} */ (['SIGSEGV', 'SIGTERM', 'SIGALRM'])) {
    expect(spawnSync(process.execPath, ['-e', script, name], { timeout: 20_000 }).signal).toBe(name);
  }
});

test('an end is asked for by a signal that spprof got, and that the program says it ended by', () => {
  const { SIGINT, SIGTERM, SIGUSR2 } = constants.signals;
  expect(endingSignal({ code: 0, signal: SIGTERM }, { [SIGTERM]: 1 })).toBe(SIGTERM);
  expect(endingSignal({ code: 128 + SIGINT, signal: 0 }, { [SIGINT]: 2 })).toBe(SIGINT);
  expect(endingSignal({ code: 0, signal: SIGTERM }, { [SIGINT]: 1 })).toBe(0);
  expect(endingSignal({ code: 0, signal: SIGUSR2 }, { [SIGUSR2]: 1 })).toBe(0);
  expect([shellStatus({ code: 0, signal: 64 }), shellStatus({ code: 3, signal: 0 })]).toEqual([192, 3]);
  expect([signalName(15), signalName(34), signalName(64)]).toEqual(['SIGTERM', 'SIGRTMIN', 'SIGRTMIN+30']);
});

describe('what the command has been given, the program has', () => {
  test('descriptors, under their numbers', () => {
    fs.writeFileSync(path.join(folder, 'given.txt'), 'given');
    const reads = program(
      'reads.js',
      `process.stdout.write([5, 40].map((fd) => require('node:fs').readFileSync(fd)).join());`,
    );
    const command = 'exec "$0" "$@" 5< given.txt 40< given.txt';
    const args = ['-c', command, process.execPath, CLI, '-q', '-o', 'fd.cpuprofile', reads];
    const run = spawnSync('bash', args, { cwd: folder, encoding: 'utf8', env: cleanEnvironment() });
    expect([run.status, run.stdout, run.stderr]).toEqual([0, 'given,given', '']);
  });

  test('no other descriptor than without it', () => {
    const lists = program(
      'lists.js',
      `const { readdirSync, readlinkSync } = require('node:fs');
      const own = readdirSync('/proc/self/fd').map((fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } });
      process.stdout.write(String(own.filter((each) => each.startsWith('pipe:')).length));`,
    );
    const bare = spawnSync(process.execPath, [lists], { encoding: 'utf8' });
    expect(runCli(['-q', '-o', 'none.cpuprofile', lists], { cwd: folder }).stdout).toBe(bare.stdout);
  });

  test.each(['json', 'advanced'])('the channel of a parent that is Node.js, with messages of kind %s', async (kind) => {
    const echoes = program(
      'echoes.js',
      `process.on('message', (m) => { process.send(m); if (m.last) process.disconnect(); });`,
    );
    const child = spawn(process.execPath, [CLI, '-q', '-o', `${kind}.cpuprofile`, echoes], {
      ...{ cwd: folder, env: cleanEnvironment(), serialization: /** @type {'json'} */ (kind) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    /** @type {any[]} */
    const got = [];
    child.on('message', (message) => got.push(message));
    const sent = [1, 2, 3].map((n) => ({ n, last: n === 3 }));
    for (const message of sent) child.send(message);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(got).toEqual(sent);
  });
});

test('the node that runs spprof, without a script, runs what it reads', () => {
  const { status, stdout } = spawnSync(process.execPath, [CLI, '-q', '-o', 'alone.cpuprofile', process.execPath], {
    ...{ cwd: folder, encoding: 'utf8', env: cleanEnvironment() },
    input: 'console.log("ran"); process.exitCode = 3',
  });
  expect([status, stdout]).toEqual([3, 'ran\n']);
  expect(fs.existsSync(path.join(folder, 'alone.cpuprofile'))).toBe(true);
});
