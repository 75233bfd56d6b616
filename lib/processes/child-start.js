'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * Whether a Node.js that is about to be started would end because it has our preload: read from the words of the command. It is the
 * command's own question, and that of a recorded process for each of its children. In doubt a program runs unrecorded.
 */

/** Options whose value is the next word. */
const WITH_VALUE = /^(-r|--require|--import|-e|--eval|-p|--print|-pe|-C|--conditions|--loader|--experimental-loader)$/;
const FORBIDS = /^--(experimental-)?permission$|^--experimental-policy(=|$)/;
const SHELL = /^(a|ba|da|k|mk|z)?sh$/;
const NODE = /^node(js)?[\d.-]*$/;
const CHANGES_ROOT = /^(chroot|unshare|nsenter|bwrap)$/;
const SEPARATORS = /[\s"'`;&|(){}$]+/;
const SCRIPT_BYTES = 65536;

/** @param {RegExp} pattern @param {string[]} words */
function indexOfProgram(pattern, words) {
  return words.findIndex((word) => pattern.test(path.basename(word)));
}

/** The options that the first Node.js in `words` is started with; those behind the script are the program's own. @param {string[]} words */
function nodeOptionsIn(words) {
  const own = path.basename(process.execPath);
  const found = words.findIndex((word) => NODE.test(path.basename(word)) || path.basename(word) === own);
  /** @type {string[]} */
  const options = [];
  for (let i = found + 1; found >= 0 && i < words.length && words[i].startsWith('-'); i++) {
    options.push(words[i]);
    if (WITH_VALUE.test(words[i])) i++;
  }
  return options;
}

/** The beginning of a file; '' if it is none, or none that can be read at once. @param {string} file */
function beginningOf(file) {
  let descriptor = -1;
  try {
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    if (!fs.fstatSync(descriptor).isFile()) return '';
    const buffer = Buffer.allocUnsafe(SCRIPT_BYTES);
    return buffer.toString('latin1', 0, fs.readSync(descriptor, buffer, 0, SCRIPT_BYTES, 0));
  } catch {
    return ''; // who starts it will say why it cannot be read
  } finally {
    if (descriptor >= 0) fs.closeSync(descriptor);
  }
}

/**
 * The file that a program's name stands for.
 * @param {string} name
 * @param {string} cwd
 * @param {string} [searchPath] PATH
 */
function findProgram(name, cwd, searchPath = '') {
  if (name.includes('/')) return path.resolve(cwd, name);
  const folders = searchPath.split(':').map((folder) => path.resolve(cwd, folder));
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file)) ?? null;
}

/**
 * What is run in the end, as words: the interpreter of a script before it; and of a shell the text behind `-c`, or its script's, where
 * any word may begin a command.
 * @param {string[]} words
 * @param {string} cwd
 * @param {string} [searchPath]
 * @returns {{ words: string[], isShell: boolean }}
 */
function spelledOut(words, cwd, searchPath) {
  if (NODE.test(path.basename(words[0])) || words[0] === process.execPath) return { words, isShell: false };
  const shell = indexOfProgram(SHELL, words);
  const node = indexOfProgram(NODE, words);
  const file = shell === 0 ? null : findProgram(words[0], cwd, searchPath);
  const text = file === null ? '' : beginningOf(file);
  if (text.startsWith('#!')) {
    const interpreter = text.slice(2, text.indexOf('\n')).trim().split(/\s+/);
    const all = [...interpreter, ...words];
    if (indexOfProgram(SHELL, interpreter) < 0) return { words: all, isShell: false };
    return { words: [...all, text].flatMap((word) => word.split(SEPARATORS)), isShell: true };
  }
  if (shell < 0 || (node >= 0 && node < shell)) return { words, isShell: false };
  const rest = words.slice(shell + 1);
  const script = rest.some((word) => /^-\w*c$/.test(word)) ? undefined : rest.find((word) => !/^[-+]/.test(word));
  const run = script === undefined ? '' : beginningOf(path.resolve(cwd, script));
  return { words: [...words, run].flatMap((word) => word.split(SEPARATORS)), isShell: true };
}

/**
 * The root folder that `chroot`, `unshare`, `nsenter` or `bwrap` gives the program; '': one that cannot be looked into from here.
 * @param {string[]} words
 */
function newRoot(words) {
  const [name, ...rest] = words;
  switch (path.basename(name)) {
    case 'chroot':
      return rest.find((word) => !word.startsWith('-')) ?? null;
    case 'unshare': {
      const at = rest.findIndex((word) => /^(-R|--root)/.test(word));
      return at < 0 ? null : rest[at].replace(/^(-R|--root=?)/, '') || (rest[at + 1] ?? null);
    }
    case 'nsenter':
      return rest.some((word) => /^(-[a-zA-Z]*[amr]|--(all|mount|root)\b)/.test(word)) ? '' : null;
    case 'bwrap':
      return / --(ro-|dev-)?bind(-try)? \/ \/ /.test(` ${rest.join(' ')} `) ? null : '';
    default:
      return null;
  }
}

/**
 * Why Node.js would not start in a command that has the preload; null: it does.
 * @param {string[]} words the command and its arguments
 * @param {{ NODE_OPTIONS?: string, PATH?: string }} env
 * @param {string} preload its file
 * @param {string} [cwd]
 * @returns {string | null} a clause about the program: `it runs with --permission`
 */
function startProblem(words, env, preload, cwd = process.cwd()) {
  const { words: all, isShell } = spelledOut(words, cwd, env.PATH);
  const options = [...(isShell ? all : nodeOptionsIn(all)), ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  const forbidding = options.find((word) => FORBIDS.test(word));
  const isGranted = options.includes('--allow-addons') && options.includes('--allow-fs-read=*');
  if (forbidding !== undefined && !isGranted) return `it runs with ${forbidding}`;
  const changer = indexOfProgram(CHANGES_ROOT, all);
  const node = indexOfProgram(NODE, all);
  const root = changer < 0 || (!isShell && node >= 0 && node < changer) ? null : newRoot(all.slice(changer));
  if (root === '') return `spprof may not be readable in ${path.basename(all[changer])}`;
  if (root !== null && !fs.existsSync(path.join(path.resolve(cwd, root), preload))) {
    return `spprof cannot be read in its root folder ${root}`;
  }
  return null;
}

/**
 * Whether a command starts a Node.js, by its words.
 * @param {string[]} words
 * @param {string} [cwd]
 * @param {string} [searchPath]
 */
function isNode(words, cwd = process.cwd(), searchPath = '') {
  return words[0] === process.execPath || indexOfProgram(NODE, spelledOut(words, cwd, searchPath).words) >= 0;
}

module.exports = { isNode, spelledOut, startProblem, NODE };
