'use strict';

/** What cannot be recorded starts as without us: other users' children, other roots, narrow permissions, old versions, other engines. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { recordingEnvironment } = require('../../lib/cli/command');
const { startProblem } = require('../../lib/processes/child-start');
const { preloadFile } = require('../../lib/cli/preload');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');
const isRoot = process.getuid?.() === 0;

/** The modules that the preload loads in such an engine. @param {Record<string, string>} versions */
function loadedIn(versions) {
  /** @type {string[]} */
  const loaded = [];
  const require = (/** @type {string} */ name) => loaded.push(name);
  vm.runInNewContext(fs.readFileSync(REGISTER, 'utf8'), { process: { versions }, require });
  return loaded;
}

test('the preload does nothing in old versions and other engines, and is written for all of them', () => {
  expect(loadedIn({ node: '18.0.0' })).toEqual(['./processes/register-process']);
  for (const node of ['4.9.1', '6.17.1', '8.17.0', '12.22.12', '17.9.1']) expect(loadedIn({ node })).toEqual([]);
  expect(loadedIn({ node: '24.2.0', deno: '2.5.0' })).toEqual([]);
  expect(loadedIn({ node: '24.3.0', bun: '1.3.0' })).toEqual([]);
  const code = fs.readFileSync(REGISTER, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  expect(code).not.toMatch(/=>|\b(let|const|class|async|import)\b|`|\?\.|\?\?|\.\.\.|node:/);
});

test('in a private folder a file stands for it that every user can read, and the next run uses it again', () => {
  const own = fs.mkdtempSync(path.join(folder, 'private-'));
  fs.writeFileSync(path.join(own, 'register.js'), 'process.stdout.write("recorded ");');
  const file = preloadFile(path.join(own, 'register.js'));
  expect(file).not.toContain(own);
  expect(file).toMatch(/^[\w/.@+-]+$/);
  expect(fs.statSync(file).mode & 0o777).toBe(0o644);
  expect(preloadFile(path.join(own, 'register.js'))).toBe(file);
  const env = recordingEnvironment(cleanEnvironment(), {}, file);
  const run = (/** @type {object} */ user) =>
    spawnSync(process.execPath, ['-p', '"runs"'], {
      ...user,
      env: /** @type {{}} */ (env),
      encoding: 'utf8',
      cwd: '/',
    });
  expect(run({})).toMatchObject({ status: 0, stdout: 'recorded runs\n', stderr: '' });
  if (isRoot) expect(run({ uid: 65534, gid: 65534 })).toMatchObject({ status: 0, stdout: 'runs\n', stderr: '' });
  else process.stdout.write('not root: a child of another user is not tried\n');
  fs.rmSync(path.dirname(file), { recursive: true });
});

test('a folder of the same name that another user could change is not used', () => {
  const parent = fs.mkdtempSync('/tmp/spprof-test-');
  fs.chmodSync(parent, 0o755);
  const register = path.join(folder, 'register.js');
  const first = path.dirname(preloadFile(register, [parent]));
  fs.chmodSync(first, 0o777);
  expect(path.dirname(preloadFile(register, [parent]))).not.toBe(first);
  fs.rmSync(parent, { recursive: true });
});

test('one word where the user has a --require too, two where not', () => {
  const optionsOf = (/** @type {string} */ given) =>
    recordingEnvironment({ NODE_OPTIONS: given }, {}, '/p.js').NODE_OPTIONS;
  expect(optionsOf('')).toBe('--require /p.js');
  expect(optionsOf('--no-warnings')).toBe('--no-warnings --require /p.js');
  for (const own of ['--require ./a.js', '-r ./a.js', '--require=./a.js']) {
    expect(optionsOf(own)).toBe(`--require=/p.js ${own}`);
  }
});

test('what would not start with the preload is told by its words', () => {
  const problem = (/** @type {string[]} */ ...words) => startProblem(words, {}, REGISTER);
  expect(problem('node', '--permission', 'a.js')).toMatch(/runs with --permission/);
  expect(problem('env', 'A=1', '/opt/node', '-r', './x.js', '--experimental-permission', 'a.js')).not.toBeNull();
  expect(problem('sh', '-c', 'cd x && node --experimental-policy=p.json a.js')).not.toBeNull();
  expect(startProblem(['npm', 'start'], { NODE_OPTIONS: '--permission' }, REGISTER)).not.toBeNull();
  expect(problem('node', 'a.js', '--permission')).toBeNull();
  expect(problem('node', '-e', '--permission')).toBeNull();
  expect(problem('node', '--permission', '--allow-addons', '--allow-fs-read=*', 'a.js')).toBeNull();
  for (const command of [
    ['chroot', folder, 'node'],
    ['unshare', '--root', folder, 'node'],
    ['unshare', `-R${folder}`, 'node'],
  ]) {
    expect(problem(...command)).toMatch(/root folder/);
  }
  expect(problem('sh', '-c', `exec chroot ${folder.replaceAll(' ', '_')} node a.js`)).toMatch(/root folder/);
  expect(problem('nsenter', '-t', '1', '-m', 'node', 'a.js')).toMatch(/nsenter/);
  expect(problem('bwrap', '--ro-bind', '/usr', '/usr', 'node', 'a.js')).toMatch(/bwrap/);
  expect(problem('bwrap', '--dev-bind', '/', '/', 'node', 'a.js')).toBeNull();
  expect(problem('node', 'a.js', 'chroot', folder)).toBeNull();
  expect(problem('chroot', '/', 'node')).toBeNull();
  expect(problem('unshare', '-pf', 'node')).toBeNull();
});

test('a shell script is looked into, and the interpreter of any script; its arguments are its own', () => {
  const script = (/** @type {string} */ name, /** @type {string} */ text) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
    return path.join(folder, name);
  };
  const problem = (/** @type {string[]} */ ...words) => startProblem(words, { PATH: folder }, REGISTER, folder);
  const shell = script('run.sh', '#!/bin/sh\nset -e\nexec node --permission a.js\n');
  const interpreted = script('tool', '#!/usr/bin/env -S node --experimental-permission\n');
  const plain = script('plain', '#!/usr/bin/env node\n// node --permission\n');
  for (const words of [
    [shell],
    ['./run.sh'],
    ['run.sh'],
    ['bash', 'run.sh'],
    ['env', 'sh', '-e', shell],
    [interpreted],
  ]) {
    expect(problem(...words)).toMatch(/runs with --/);
  }
  for (const words of [[plain, '--permission'], ['plain'], ['not-there'], ['sh', '-c', 'true']]) {
    expect(problem(...words)).toBeNull();
  }
});

test('a program with narrow permissions runs, and the command says that it was not recorded', () => {
  const [flag] = ['--permission', '--experimental-permission'].filter((name) =>
    process.allowedNodeEnvironmentFlags.has(name),
  );
  if (flag === undefined) {
    process.stdout.write('this Node.js has no permission model\n');
    return;
  }
  const args = ['-o', 'p.cpuprofile', process.execPath, '--no-warnings', flag, '-p', '"ran"'];
  const run = runCli(args, { cwd: folder });
  expect([run.status, run.stdout]).toEqual([0, 'ran\n']);
  expect(run.stderr).toMatch(/^spprof: nothing was recorded of ".*" \(.* of CPU time\): it runs with --/);
});
