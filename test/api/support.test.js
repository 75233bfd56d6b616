'use strict';

/** Where spprof cannot record, it can be required all the same, and start() says why. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { lazyBindingProblems, problemsOf } = require('../../scripts/gates/glibc-floor');
const { dropForeignCache } = require('../../scripts/build-addon');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const LIB = path.join(__dirname, '..', '..', 'lib');
const folder = temporaryFolder();

/** Runs code in a Node that takes itself for another. @param {string} disguise @param {string} code */
function inDisguise(disguise, code) {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', `${disguise}\n${code}`], {
    encoding: 'utf8',
    env: cleanEnvironment(),
  });
  return stdout + stderr;
}

const set = (/** @type {string} */ name, /** @type {unknown} */ value) =>
  `Object.defineProperty(process, ${JSON.stringify(name)}, { value: ${JSON.stringify(value)} });`;

test.each([
  ['macOS', set('platform', 'darwin'), /this system is darwin; record on Linux/],
  ['Windows', set('platform', 'win32'), /this system is win32/],
  ['a 32-bit Node.js', set('arch', 'ia32'), /for ia32; use one for x64/],
  ['an old Node.js', set('versions', { ...process.versions, node: '16.20.2' }), /Node\.js 16\.20\.2; use version 18/],
  ['Deno', set('versions', { ...process.versions, deno: '2.5.0' }), /Deno 2\.5\.0/],
  ['Bun', set('versions', { ...process.versions, bun: '1.3.0' }), /Bun 1\.3\.0/],
  [
    'a Node.js with pointer compression',
    set('config', { variables: { v8_enable_pointer_compression: 1 } }),
    /pointer compression/,
  ],
])('%s: it is required, isRecording() is false, start() throws ERR_SPPROF_UNSUPPORTED', (_name, disguise, message) => {
  const output = inDisguise(
    disguise,
    `const spprof = require(${JSON.stringify(LIB)});
     console.log(spprof.isRecording());
     try { spprof.start(); } catch (error) { console.log(error.code, error.message); }`,
  );
  expect(output).toMatch(/^false\nERR_SPPROF_UNSUPPORTED spprof cannot record here: /);
  expect(output).toMatch(message);
  expect(output.trim().split('\n')).toHaveLength(2);
});

test('a recorded program that runs elsewhere goes on, and one line says why it is not recorded', () => {
  const output = inDisguise(
    set('config', { variables: { v8_enable_pointer_compression: 1 } }),
    `require(${JSON.stringify(path.join(LIB, 'register.js'))}); console.log('the program');`,
  );
  expect(output).toMatch(/the program\n/);
  expect(output).toMatch(/spprof: this process is not recorded: .*pointer compression.*\n/);
  expect(output.trim().split('\n')).toHaveLength(2);
});

test('of several addons the first that loads is used, whatever their times', () => {
  const copy = path.join(folder, 'copy');
  fs.cpSync(LIB, path.join(copy, 'lib'), { recursive: true });
  const built = path.join(copy, 'build', 'Release');
  const brought = path.join(copy, 'prebuilds', `${process.platform}-${process.arch}`);
  for (const each of [built, brought]) fs.mkdirSync(each, { recursive: true });
  fs.copyFileSync(path.join(LIB, '..', 'build', 'Release', 'spprof.node'), path.join(brought, 'spprof.node'));
  fs.utimesSync(path.join(brought, 'spprof.node'), 1, 1);
  fs.writeFileSync(path.join(built, 'spprof.node'), 'of another processor');
  const code = `const { findBinding, loadBinding } = require(${JSON.stringify(path.join(copy, 'lib', 'native', 'binding.js'))});
    loadBinding(); console.log(findBinding());`;
  expect(inDisguise('', code)).toBe(`${path.join(brought, 'spprof.node')}\n`);
  fs.rmSync(brought, { recursive: true });
  expect(inDisguise('', code)).toMatch(/npx spprof build[\s\S]*ERR_SPPROF_NO_BINDING/);
});

test('the gate finds symbols of a newer glibc, other libraries, and functions that are bound late', () => {
  const line = '  7: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND';
  expect(problemsOf(`${line} pthread_create@GLIBC_2.34 (3)`)).toEqual([expect.stringMatching(/pthread_create.*2\.34/)]);
  expect(problemsOf(`${line} memcpy@GLIBC_2.14 (2)`)).toEqual([]);
  expect(problemsOf(`${line} memcpy@GLIBC_2.14 (2)\n 0x1 (NEEDED) Shared library: [libgcc_s.so.1]`)).toHaveLength(1);
  expect(problemsOf('')).toHaveLength(1);
  expect(lazyBindingProblems(' 0x1e (FLAGS)   SYMBOLIC BIND_NOW')).toEqual([]);
  expect(lazyBindingProblems(' 0x1e (FLAGS)   SYMBOLIC')).toHaveLength(1);
});

test('a build folder of another place is not used: a copied checkout builds', () => {
  const build = path.join(folder, 'build');
  const cache = path.join(build, 'CMakeCache.txt');
  const root = path.join(__dirname, '..', '..');
  fs.mkdirSync(path.join(build, 'CMakeFiles'), { recursive: true });
  fs.writeFileSync(cache, `CMAKE_HOME_DIRECTORY:INTERNAL=${path.join(folder, 'gone')}\n`);
  dropForeignCache(build);
  expect(fs.existsSync(cache)).toBe(false);
  expect(fs.existsSync(path.join(build, 'CMakeFiles'))).toBe(false);
  fs.writeFileSync(cache, `CMAKE_HOME_DIRECTORY:INTERNAL=${root}\nCMAKE_CACHEFILE_DIR:INTERNAL=${build}\n`);
  dropForeignCache(build);
  expect(fs.existsSync(cache)).toBe(true);
});

describe('spprof env', () => {
  test('prints what a bug report needs, and each engine that was tried', () => {
    const { status, stdout, stderr } = runCli(['env', '--json'], { cwd: folder });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const machine = JSON.parse(stdout);
    expect(machine.node.node).toBe(process.versions.node);
    expect(machine.kernel.glibc).toMatch(/^\d+\.\d+$/);
    expect(machine.cpu.count).toBeGreaterThan(0);
    expect(machine.addon).toMatchObject({ pageBytes: expect.any(Number), problem: null });
    const auto = machine.engines.find((/** @type {{ asked: string }} */ { asked }) => asked === 'auto');
    expect(auto.samples).toBeGreaterThan(0);
    for (const { used, problem } of machine.engines) expect((used === null) !== (problem === null)).toBe(true);
  });

  test('as text, with a help of its own', () => {
    const { status, stdout } = runCli(['env'], { cwd: folder });
    expect(status).toBe(0);
    for (const word of ['node', 'cpu', 'kernel', 'limits', 'addon', 'engines'])
      expect(stdout).toMatch(new RegExp(`^${word}$`, 'm'));
    expect(runCli(['env', '--help']).stdout).toMatch(/^Usage: spprof env/);
    expect(runCli(['env', 'x']).stderr).toMatch(/takes no operand/);
    expect(runCli(['build', '--help']).stdout).toMatch(/^Usage: spprof build/);
  });
});
