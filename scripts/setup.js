'use strict';

/** Installs what building, testing and checking need: Debian's packages (as root; else says how), then npm's. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, missingPackages, run } = require('./tools');

/** @returns {boolean} whether all is there now */
function installTools() {
  const missing = missingPackages();
  if (missing.length === 0) return true;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || process.platform !== 'linux') {
    process.stderr.write(`missing: ${missing.join(', ')}; install with: sudo ${command}\n`);
    return false;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (run('apt-get', ['update', '-q'], { env }) !== 0) {
    process.stderr.write('apt-get update failed; trying the lists that are there\n');
  }
  const [tool, ...args] = command.split(' ');
  return run(tool, args, { env }) === 0 && missingPackages().length === 0;
}

/** @returns {boolean} */
function installModules() {
  const isThere = fs.existsSync(path.join(ROOT, 'node_modules', 'jest', 'package.json'));
  if (isThere) return true;
  // Not `npm ci`: it refuses a lock file without the optional packages of every other platform.
  return run('npm', ['install', '--no-audit', '--no-fund']) === 0;
}

/** @returns {boolean} whether all is there now */
function setup() {
  return installTools() && installModules();
}

module.exports = { setup };

if (require.main === module) process.exitCode = setup() ? 0 : 1;
