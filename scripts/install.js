'use strict';

/**
 * `npm install`: makes sure that there is a native addon. One that is brought along (prebuilds/) or was built here
 * (build/Release) is used when it is not older than the sources; otherwise cmake builds it. Needs a C++20 compiler and
 * cmake; no network, since Node-API's headers come from npm.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const BUILT = path.join(ROOT, 'build', 'Release', 'spprof.node');
const PREBUILT = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`, 'spprof.node');

/**
 * The latest change of a file, or of any file in a folder, ms.
 * @param {string} file
 * @returns {number}
 */
function latestChange(file) {
  const stat = fs.statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = fs.readdirSync(file).map((name) => latestChange(path.join(file, name)));
  return Math.max(stat.mtimeMs, ...inside);
}

/** Whether an addon is there and not older than what it is made of. @param {string} file */
function isFresh(file) {
  if (!fs.existsSync(file)) return false;
  const sources = ['native', 'CMakeLists.txt'].map((name) => path.join(ROOT, name));
  return fs.statSync(file).mtimeMs >= Math.max(...sources.map(latestChange));
}

/** @param {string[]} args @returns {number} exit status */
function cmake(args) {
  const { status, error } = spawnSync('cmake', args, { stdio: 'inherit', cwd: ROOT });
  if (error !== undefined) process.stderr.write(`cmake: ${error.message}\n`);
  return status ?? 1;
}

/** Builds the addon. @returns {number} exit status */
function build() {
  const target = path.join(ROOT, 'build');
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(os.availableParallelism?.() ?? os.cpus().length);
  // @ts-expect-error both are untyped
  const packages = [require('node-api-headers'), require('node-addon-api')];
  const headers = packages.map(({ include_dir: folder }) => path.resolve(folder)).join(';');
  return (
    cmake(['-S', ROOT, '-B', target, '-DCMAKE_BUILD_TYPE=Release', `-DNODE_API_INCLUDE=${headers}`]) ||
    cmake(['--build', target, '--config', 'Release', '--parallel', jobs])
  );
}

/**
 * @param {{ isForced?: boolean }} [settings] forced: build even when an addon is fresh (cmake rebuilds what changed)
 * @returns {number} exit status
 */
function install({ isForced = false } = {}) {
  if (!isForced && [BUILT, PREBUILT].some(isFresh)) return 0;
  const status = build();
  if (status !== 0) {
    process.stderr.write('spprof: the addon was not built; it needs a C++20 compiler and cmake 3.18 (see above)\n');
    return status;
  }
  // cmake leaves an addon alone whose inputs have only been touched.
  const now = new Date();
  fs.utimesSync(BUILT, now, now);
  return 0;
}

module.exports = { install, isFresh };

if (require.main === module) process.exitCode = install();
