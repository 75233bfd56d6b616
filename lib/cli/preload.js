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

/** Options whose value is the next word. */
const WITH_VALUE = /^(-r|--require|--import|-e|--eval|-p|--print|-pe|-C|--conditions|--loader|--experimental-loader)$/;
const FORBIDS = /^--(experimental-)?permission$|^--experimental-policy(=|$)/;

/** The options that a Node.js in `words` is started with; those behind the script are the program's own. @param {string[]} words */
function nodeOptionsIn(words) {
  const found = words.findIndex((word) => /^node(js)?\d*$/.test(path.basename(word)));
  /** @type {string[]} */
  const options = [];
  for (let i = found + 1; found >= 0 && i < words.length && words[i].startsWith('-'); i++) {
    options.push(words[i]);
    if (WITH_VALUE.test(words[i])) i++;
  }
  return options;
}

/** The root folder that `chroot`, or `unshare --root`, gives the program. @param {string[]} words */
function newRoot(words) {
  const [name, ...rest] = words;
  if (path.basename(name) === 'chroot') return rest.find((word) => !word.startsWith('-')) ?? null;
  if (path.basename(name) !== 'unshare') return null;
  const at = rest.findIndex((word) => /^(-R|--root)/.test(word));
  if (at < 0) return null;
  return rest[at].replace(/^(-R|--root=?)/, '') || (rest[at + 1] ?? null);
}

/**
 * Why Node.js would not start in a command that has the preload; null: it does.
 * @param {string[]} words the command and its arguments; a shell's `-c` is looked into
 * @param {Record<string, string | undefined>} env
 * @param {string} preload
 */
function preloadProblem(words, env, preload) {
  const isShell = /^(ba|da|z|k)?sh$/.test(path.basename(words[0]));
  const all = isShell ? words.flatMap((word) => word.split(/[\s"';&|()]+/)) : words;
  const options = [...nodeOptionsIn(all), ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  const forbidding = options.find((word) => FORBIDS.test(word));
  const isGranted = options.includes('--allow-addons') && options.includes('--allow-fs-read=*');
  if (forbidding !== undefined && !isGranted) return `it runs with ${forbidding}`;
  const root = newRoot(
    isShell ? all.slice(all.findIndex((word) => /^(chroot|unshare)$/.test(path.basename(word)))) : all,
  );
  if (root !== null && !fs.existsSync(path.join(root, preload)))
    return `spprof cannot be read in its root folder ${root}`;
  return null;
}

module.exports = { preloadFile, preloadProblem };
