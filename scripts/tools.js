'use strict';

/** What all scripts use: paths, running of programs, and the tools that must be installed. Needs no package of npm. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/** Whether some version of clang has its fuzzer's runtime. */
function hasFuzzer() {
  const versions = fs.existsSync('/usr/lib')
    ? fs.readdirSync('/usr/lib').filter((name) => /^llvm-\d+$/.test(name))
    : [];
  return versions.some((version) => {
    const folder = path.join('/usr/lib', version, 'lib/clang');
    const releases = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    return releases.some((each) => fs.existsSync(path.join(folder, each, 'lib/linux/libclang_rt.fuzzer-x86_64.a')));
  });
}

/** Debian's package of each tool or file that building, testing and checking need. */
const TOOLS = [
  { tool: 'cmake', package: 'cmake' },
  { tool: 'g++', package: 'g++' },
  { tool: 'ld', package: 'binutils' },
  { tool: 'nm', package: 'binutils' },
  { tool: 'readelf', package: 'binutils' },
  { tool: 'git', package: 'git' },
  { tool: 'clang-format', package: 'clang-format' },
  { tool: 'clang-tidy', package: 'clang-tidy' },
  { tool: 'clang++', package: 'clang' },
  { tool: 'valgrind', package: 'valgrind' },
  { isThere: hasFuzzer, package: 'libclang-rt-14-dev' },
  { tool: 'chromium', package: 'chromium' },
  { file: '/usr/include/gtest/gtest.h', package: 'libgtest-dev' },
  { file: '/usr/include/benchmark/benchmark.h', package: 'libbenchmark-dev' },
];

/** Whether a program is in PATH. @param {string} tool */
function isInPath(tool) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.some((folder) => fs.existsSync(path.join(folder, tool)));
}

/** The packages that are missing. @returns {string[]} */
function missingPackages() {
  const missing = TOOLS.filter(({ tool, file, isThere }) => {
    if (isThere !== undefined) return !isThere();
    return tool === undefined ? !fs.existsSync(String(file)) : !isInPath(tool);
  });
  return [...new Set(missing.map((each) => each.package))];
}

/**
 * Fails with the package's name when a tool is missing.
 * @param {string} tool
 */
function requireTool(tool) {
  if (isInPath(tool)) return;
  const known = TOOLS.find((each) => each.tool === tool);
  throw new Error(`${tool} is missing; install it with: apt-get install ${known?.package ?? tool}`);
}

/**
 * Runs a program with its output shown.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} exit status; 127 when it cannot be started
 */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error !== undefined) process.stderr.write(`${command}: ${error.message}\n`);
  return error === undefined ? (status ?? 1) : 127;
}

/**
 * Runs a program and gives back what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {{ status: number, output: string, stdout: string }} `output`: stdout and stderr
 */
function capture(command, args, options = {}) {
  const settings = { cwd: ROOT, maxBuffer: 1 << 28, ...options, encoding: /** @type {const} */ ('utf8') };
  const { status, error, stdout, stderr } = spawnSync(command, args, settings);
  if (error !== undefined) return { status: 127, output: error.message, stdout: '' };
  return { status: status ?? 1, output: `${stdout}${stderr}`, stdout };
}

/** The path of a package's program in node_modules. @param {string} name */
function packageBin(name) {
  return path.join(ROOT, 'node_modules', '.bin', name);
}

/** Files that are committed or will be, relative to the root. @param {string[]} patterns of git */
function projectFiles(...patterns) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...patterns];
  const { status, output, stdout } = capture('git', args);
  if (status !== 0) throw new Error(`git ls-files failed: ${output}`);
  return stdout.split('\0').filter((file) => file !== '' && fs.existsSync(path.join(ROOT, file)));
}

module.exports = { ROOT, missingPackages, requireTool, run, capture, packageBin, projectFiles };
