'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/**
 * Where the preload is that NODE_OPTIONS names. Node.js ends where it cannot read a file that it is to preload, so this one must be
 * readable for every user whom a child may run as. Where spprof lies in a private folder, a file of two lines stands for it.
 */

const REGISTER = path.join(__dirname, '..', 'register.js');

/** Node.js before 12 knows no quotes in NODE_OPTIONS. */
const PLAIN = /^[\w/.@+-]+$/;

const OTHERS_READ = 0o004;
const OTHERS_SEARCH = 0o001;

/** Whether every user can read a file: it, and the folders above it. @param {string} file */
function isReadableForAll(file) {
  if ((fs.statSync(file).mode & OTHERS_READ) === 0) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if ((fs.statSync(folder).mode & OTHERS_SEARCH) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}

/** Whether a folder is this user's own and no other user can change it. @param {string} folder */
function isOwn(folder) {
  const stat = fs.lstatSync(folder);
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
}

/**
 * A file that loads the preload where it can be read, in a folder of temporary files. It stays: a program that outlives the command
 * may still start children. The next run uses the same one.
 * @param {string} register
 * @param {string} parent
 */
function standIn(register, parent) {
  const text = `try { require(${JSON.stringify(register)}); } catch (error) {\n  // It cannot be read here: this process runs unrecorded.\n}\n`;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  let folder = path.join(parent, `spprof-preload-${process.getuid?.()}-${hash}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!isOwn(folder)) folder = fs.mkdtempSync(`${folder}-`);
  fs.chmodSync(folder, 0o755);
  const file = path.join(folder, 'preload.js');
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    const partial = path.join(folder, `${process.pid}.partial`);
    fs.writeFileSync(partial, text, { flag: 'wx' });
    fs.chmodSync(partial, 0o644);
    fs.renameSync(partial, file);
  }
  return file;
}

/**
 * The preload's file.
 * @param {string} [register]
 * @param {string[]} [parents] folders for the file that stands for it
 */
function preloadFile(register = REGISTER, parents = [os.tmpdir(), '/tmp', '/var/tmp', '/dev/shm']) {
  if (PLAIN.test(register) && isReadableForAll(register)) return register;
  for (const parent of parents) {
    try {
      const file = standIn(register, parent);
      if (PLAIN.test(file) && isReadableForAll(file)) return file;
    } catch {
      // This folder is not there or not ours to write; the next one may be.
    }
  }
  return register;
}

module.exports = { preloadFile };
