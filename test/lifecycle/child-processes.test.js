'use strict';

/** Children of a recorded program that cannot be recorded: they run as without us, and notes for the summary say why. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { cutPreload } = require('../../lib/processes/child-processes');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');
const isRoot = process.getuid?.() === 0;

test('our preload is taken out of NODE_OPTIONS, and the user’s own stay as they are', () => {
  const quoted = `"${REGISTER.replaceAll(' ', '\\\\ ')}"`;
  for (const ours of ['--require spprof/register', `--require=${quoted}`, '-r /tmp/spprof-preload-0-0123/preload.js']) {
    expect(cutPreload(ours)).toMatchObject({ rest: '', preload: expect.stringMatching(/register|preload/) });
    expect(cutPreload(`--no-warnings  ${ours} -r "./my own.js"`).rest).toBe('--no-warnings  -r "./my own.js"');
  }
  expect(cutPreload('--import file:///a.js --require ./spprof/register-other')).toMatchObject({ preload: null });
});

/** Each line: what was started, its status, standard output and error. */
const PROGRAM = `
  const { exec, execFileSync, fork, spawn, spawnSync } = require('node:child_process');
  const node = process.execPath;
  const tell = (...what) => console.log(JSON.stringify(what));
  const sync = (name, ...args) => {
    const { status, stdout, stderr } = spawnSync(...args);
    tell(name, status, String(stdout), String(stderr));
  };
  const [permission] = ['--permission', '--experimental-permission'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag));
  const policy = process.allowedNodeEnvironmentFlags.has('--experimental-policy');
  const narrow = [...(permission ? [[permission]] : []), ...(policy ? [['--experimental-policy=policy.json']] : [])];
  const script = 'child.js';
  for (const flags of narrow) {
    const grant = flags[0] === permission ? ['--allow-fs-read=' + script] : [];
    sync('file', node, [...flags, ...grant, script]);
    sync('shell', '"' + node + '" ' + [...flags, ...grant].join(' ') + ' "' + script + '"', { shell: true });
    sync('environment', node, [...grant, script], { env: { ...process.env, NODE_OPTIONS: (process.env.NODE_OPTIONS ?? '') + ' ' + flags.join(' ') } });
    if (flags[0] === permission) sync('text', node, [...flags, '-p', '"ran"']);
    tell('execFileSync', String(execFileSync(node, [...flags, ...grant, script], { stdio: 'pipe' })));
    fork(script, { execArgv: [...flags, ...grant], silent: true }).on('close', (status) => tell('fork', status));
    exec('"' + node + '" ' + [...flags, ...grant].join(' ') + ' "' + script + '"', (error, ...texts) => tell('exec', error, ...texts));
  }
  sync('without addons', node, ['--no-addons', script]);
  if (process.getuid() === 0) {
    sync('user', node, ['-p', 'process.getuid()'], { uid: 65534, gid: 65534, cwd: '/' });
    spawn(node, ['-p', 'process.getuid()'], { uid: 65534, cwd: '/', stdio: 'inherit' });
  }
  sync('missing', 'not-there', []);
  sync('ordinary', node, [script]);
`;

test('they end with the same status, and print the same', () => {
  if (!isRoot) process.stdout.write('not root: children of another user are not tried\n');
  const file = (/** @type {string} */ name, /** @type {string} */ text) =>
    fs.writeFileSync(path.join(folder, name), text);
  file('program.js', PROGRAM);
  file('child.js', 'console.log("ran");');
  file('policy.json', '{ "resources": { "./child.js": { "integrity": true, "dependencies": true } } }');
  const env = { NODE_NO_WARNINGS: '1' };
  const args = ['program.js'];
  const sorted = (/** @type {string} */ text) => text.split('\n').sort();
  const bare = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { ...cleanEnvironment(), ...env },
  });
  const recorded = runCli(['--json', '-o', 'c.cpuprofile', process.execPath, ...args], {
    cwd: folder,
    env,
  });
  expect(sorted(recorded.stdout)).toEqual(sorted(bare.stdout));
  expect(recorded.status).toBe(0);
  const notes = JSON.parse(recorded.stderr).unrecorded.reasons.join('\n');
  expect(notes).toMatch(/child\.js\): it runs with --no-addons$/m);
  if (/"file"/.test(bare.stdout)) expect(notes).toMatch(/: it runs with --(experimental-)?p/);
  if (isRoot) expect(notes).toMatch(/: it runs as another user$/m);
});

test('a process that becomes another program by execve', () => {
  if (
    typeof Reflect.get(process, 'execve') !== 'function' ||
    !process.allowedNodeEnvironmentFlags.has('--permission')
  ) {
    process.stdout.write('NOT RUN: this Node.js has no execve, or no permission model\n');
    return;
  }
  const become = (/** @type {string} */ flags) =>
    `process.execve(process.execPath, [process.execPath, '--no-warnings', ${flags}, '-p', '"became"'], { ...process.env, OWN: '1' });`;
  for (const flags of ["'--permission'", "'--no-deprecation'"]) {
    const run = runCli(['-q', '-o', 'e.cpuprofile', process.execPath, '--no-warnings', '-e', become(flags)], {
      cwd: folder,
    });
    expect(run).toMatchObject({ status: 0, stdout: 'became\n', stderr: '' });
  }
});

test('a program that may do all that recording needs is recorded under a permission model', () => {
  const [flag] = ['--permission', '--experimental-permission'].filter((name) =>
    process.allowedNodeEnvironmentFlags.has(name),
  );
  if (flag === undefined || !process.allowedNodeEnvironmentFlags.has('--allow-addons')) {
    process.stdout.write('NOT RUN: this Node.js has no permission model, or none with addons\n');
    return;
  }
  const grants = ['--allow-addons', '--allow-fs-read=*', '--allow-fs-write=*'];
  const args = ['--json', '-o', 'g.cpuprofile', process.execPath, '--no-warnings', flag, ...grants, '-p', '"ran"'];
  const run = runCli(args, { cwd: folder });
  expect(run).toMatchObject({ status: 0, stdout: 'ran\n' });
  expect(JSON.parse(run.stderr).processes).toHaveLength(1);
});

test('nothing is said about process.binding, which is deprecated', () => {
  const args = ['--require', REGISTER, '--pending-deprecation', '-p', 'process.noDeprecation'];
  const env = { ...cleanEnvironment(), SPPROF_DIR: path.join(folder, 'pending') };
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  expect([stdout, stderr]).toEqual(['undefined\n', '']);
});
