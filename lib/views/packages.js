'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** Whose code a file is: the package in `node_modules` that it belongs to, with the version that its package.json has now. */

/** Longer ones are no package.json. */
const LARGEST_BYTES = 1 << 20;

/** @typedef {{ name: string, version: string }} Package `version`: '' where it is not known */

/** @param {string} file @returns {Package | null} null: no package.json, or none that names its package */
function readPackage(file) {
  try {
    const { size } = fs.statSync(file);
    if (size > LARGEST_BYTES) return null;
    const { name, version } = JSON.parse(fs.readFileSync(file, 'utf8'));
    return typeof name === 'string' && name !== ''
      ? { name, version: typeof version === 'string' ? version : '' }
      : null;
  } catch {
    return null; // The profile may be from another machine, and the program may write what it likes there.
  }
}

/** Finds packages; reads each package.json once. */
class Packages {
  /** @type {Map<string, Package>} by folder */
  #known = new Map();

  /** The nearest named package.json from a folder up to the package's own. @param {string} folder @param {string} top @param {string} name @returns {Package} */
  #nearest(folder, top, name) {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const own = readPackage(path.posix.join(folder, 'package.json'));
    const found =
      own ?? (folder === top ? { name, version: '' } : this.#nearest(path.posix.dirname(folder), top, name));
    this.#known.set(folder, found);
    return found;
  }

  /** @param {string} file absolute path @returns {Package | null} null: it is in no `node_modules` */
  of(file) {
    const match = /^(.*[\\/]node_modules[\\/])((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/s.exec(file);
    if (match === null) return null;
    const [, modules, name] = match;
    return this.#nearest(path.posix.dirname(file), path.posix.join(modules, name), name.replace('\\', '/'));
  }
}

module.exports = { Packages };
