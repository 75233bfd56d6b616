'use strict';

/**
 * Builds the native addon with cmake: `npm install` in a checkout (its `postprepare` script), and `npx spprof build` where no
 * file that is brought along loads. Needs a C++20 compiler and cmake; no network, since Node-API's headers come from npm.
 * What has not changed is not compiled again.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/** @param {string[]} args @returns {number} exit status */
function cmake(args) {
  const { status, error } = spawnSync('cmake', args, { stdio: 'inherit', cwd: ROOT });
  if (error !== undefined) process.stderr.write(`cmake: ${error.message}\n`);
  return status ?? 1;
}

/**
 * Removes what cmake keeps in a build folder if it was made in another place: a checkout that has been copied or moved
 * cannot be built with it.
 * @param {string} folder
 */
function dropForeignCache(folder) {
  const cache = path.join(folder, 'CMakeCache.txt');
  if (!fs.existsSync(cache)) return;
  const text = fs.readFileSync(cache, 'utf8');
  const places = [...text.matchAll(/^(?:CMAKE_HOME_DIRECTORY:INTERNAL|CMAKE_CACHEFILE_DIR:INTERNAL)=(.*)$/gm)];
  const isOurs = places.every(([, place]) => fs.existsSync(place) && [ROOT, folder].some((own) => isSame(own, place)));
  if (isOurs) return;
  fs.rmSync(cache);
  fs.rmSync(path.join(folder, 'CMakeFiles'), { recursive: true, force: true });
}

/** @param {string} one @param {string} other folders that exist */
function isSame(one, other) {
  return fs.realpathSync(one) === fs.realpathSync(other);
}

/** An installed package has the sources in one archive (scripts/stage-package.js). @returns {number} exit status */
function unpackSources() {
  if (fs.existsSync(path.join(ROOT, 'native'))) return 0;
  const { status, error } = spawnSync('tar', ['-xzf', 'native-sources.tar.gz'], { stdio: 'inherit', cwd: ROOT });
  if (error !== undefined) process.stderr.write(`tar: ${error.message}\n`);
  return status ?? 1;
}

/** @returns {number} exit status */
function buildAddon() {
  if (unpackSources() !== 0) return 1;
  const target = path.join(ROOT, 'build');
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(os.availableParallelism?.() ?? os.cpus().length);
  // @ts-expect-error both are untyped
  const packages = [require('node-api-headers'), require('node-addon-api')];
  const headers = packages.map(({ include_dir: folder }) => path.resolve(folder)).join(';');
  dropForeignCache(target);
  const status =
    cmake(['-S', ROOT, '-B', target, '-DCMAKE_BUILD_TYPE=Release', `-DNODE_API_INCLUDE=${headers}`]) ||
    cmake(['--build', target, '--config', 'Release', '--parallel', jobs]);
  if (status !== 0) {
    process.stderr.write('spprof: the addon was not built; it needs a C++20 compiler and cmake 3.18 (see above)\n');
  }
  return status;
}

module.exports = { buildAddon, dropForeignCache };

if (require.main === module) process.exitCode = buildAddon();
