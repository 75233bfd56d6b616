'use strict';

const { fileURLToPath } = require('node:url');
const path = require('node:path');

/**
 * The children of a recorded process. Those that would not start with our preload in their NODE_OPTIONS get them without it: Node.js
 * ends where it may not read the file, and nothing in the child can help that.
 */

const WORD = /(?:"(?:\\.|[^"\\])*"|[^ "])+/g;
const REGISTER = path.join(__dirname, '..', 'register');

/** A word of NODE_OPTIONS as Node.js reads it. @param {string} word */
function unquoted(word) {
  return word.replace(/"((?:\\.|[^"\\])*)"/g, (_, text) => text.replace(/\\(.)/g, '$1'));
}

/** Whether a file that is preloaded is ours, or the one that stands for it. @param {string} name */
function isPreload(name) {
  if (name.startsWith('file:')) return isPreload(fileURLToPath(name));
  return (
    /^spprof\/register(\.js)?$|\/spprof-preload-[^/]+\/preload\.js$/.test(name) ||
    name.replace(/\.js$/, '') === REGISTER
  );
}

/**
 * NODE_OPTIONS without our preload.
 * @param {string} options
 * @returns {{ rest: string, preload: string | null }} null: it is not among them
 */
function cutPreload(options) {
  const words = [...options.matchAll(WORD)].map(({ 0: text, index }) => ({
    text,
    begin: index,
    end: index + text.length,
  }));
  for (let i = 0; i < words.length; i++) {
    const [, first] = /^(?:--require|--import|-r)(?:=(.*))?$/s.exec(unquoted(words[i].text)) ?? [];
    const isTwo = /^(--require|--import|-r)$/.test(words[i].text);
    const preload = isTwo && i + 1 < words.length ? unquoted(words[i + 1].text) : first;
    if (preload === undefined || !isPreload(preload)) continue;
    const { end } = words[isTwo ? i + 1 : i];
    return { rest: `${options.slice(0, words[i].begin)}${options.slice(end).trimStart()}`.trim(), preload };
  }
  return { rest: options, preload: null };
}

/**
 * What a child is started with, as Node.js gives it to its native part.
 * @typedef {{ file: string, args?: string[], envPairs?: string[], cwd?: string, uid?: number }} Start
 */

const NAME = 'NODE_OPTIONS';

/** @param {string[] | undefined} pairs @param {string} name */
function variable(pairs, name) {
  return pairs?.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * Takes our preload out of the environment of a child that would not survive it, or could not write its recording.
 * @param {Start} start its `envPairs`, which Node.js makes for each child, are changed
 * @returns {string | null} about a child that will not be recorded: `/usr/bin/node: it runs with --permission`
 */
function makeHarmless({ file, args = [], envPairs, cwd, uid }) {
  const words = [file, ...args.slice(1)];
  const { rest, preload } = cutPreload(variable(envPairs, NAME) ?? '');
  const searchPath = variable(envPairs, 'PATH');
  if (envPairs === undefined || preload === null) {
    const { isNode } = require('./child-start');
    return envPairs !== undefined && isNode(words, cwd, searchPath)
      ? `${file}: it does not have the NODE_OPTIONS of spprof`
      : null;
  }
  const reason = startReason(words, { rest, preload, searchPath, cwd, uid });
  if (reason !== null) {
    const at = envPairs.findIndex((pair) => pair.startsWith(`${NAME}=`));
    if (rest === '') envPairs.splice(at, 1);
    else envPairs[at] = `${NAME}=${rest}`;
  }
  const lost = reason ?? require('./child-loss').lossReason(words, searchPath, cwd);
  return lost === null ? null : `${file}: ${lost}`;
}

/**
 * @param {string[]} words
 * @param {{ rest: string, preload: string, searchPath?: string, cwd?: string, uid?: number }} start
 */
function startReason(words, { rest, preload, searchPath, cwd, uid }) {
  if (typeof uid === 'number' && uid !== process.getuid?.()) return 'it runs as another user';
  const { startProblem } = require('./child-start');
  return startProblem(words, { NODE_OPTIONS: rest, PATH: searchPath }, preload, cwd);
}

/**
 * Node's own parts that start processes. (`process.binding` is deprecated, which Node.js says on stderr if it has been asked to.)
 * @param {string} name
 */
function nodePart(name) {
  const quiet = Object.getOwnPropertyDescriptor(process, 'noDeprecation');
  process.noDeprecation = true;
  try {
    return /** @type {any} */ (process).binding(name);
  } finally {
    if (quiet === undefined) Reflect.deleteProperty(process, 'noDeprecation');
    else Object.defineProperty(process, 'noDeprecation', quiet);
  }
}

/**
 * What a native `spawn` is given: one object, or (Node.js 24 and newer) one argument for each.
 * @param {any[]} given
 * @returns {Start}
 */
function startOf([first, args, cwd, envPairs, , , uid]) {
  return typeof first === 'string' ? { file: first, args, cwd, envPairs, uid } : first;
}

/**
 * Looks at each start of a process from now on, whichever function of Node.js it is asked of.
 * @param {(what: string) => void} note as `makeHarmless` gives it
 */
function watchStarts(note) {
  if (typeof Reflect.get(process, 'binding') !== 'function') return; // a Node.js to come; children are left alone
  for (const part of [nodePart('process_wrap').Process.prototype, nodePart('spawn_sync')]) {
    const { spawn } = part;
    part.spawn = /** @type {(this: unknown, ...given: any[]) => unknown} */ (
      function (...given) {
        try {
          const unrecorded = makeHarmless(startOf(given));
          if (unrecorded !== null) note(unrecorded);
        } catch {
          // Then it is started as it was asked for: the program comes first.
        }
        return Reflect.apply(spawn, this, given);
      }
    );
  }
  watchExecve(note);
}

/**
 * @param {(what: string) => void} note
 * @param {string} file
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {any[] | null} other arguments; null: those that were given
 */
function harmlessExecve(note, file, args, env) {
  const envPairs = Object.entries(env).map(([name, text]) => `${name}=${text}`);
  const unrecorded = makeHarmless({ file, args, envPairs });
  if (unrecorded !== null) note(unrecorded);
  const NODE_OPTIONS = variable(envPairs, NAME);
  if (NODE_OPTIONS === env.NODE_OPTIONS) return null;
  const { NODE_OPTIONS: _, ...others } = env;
  return [file, args, NODE_OPTIONS === undefined ? others : { ...others, NODE_OPTIONS }];
}

/**
 * `process.execve` (Node.js 22.15 and newer) makes this process another program.
 * @param {(what: string) => void} note as `makeHarmless` gives it
 */
function watchExecve(note) {
  const property = Object.getOwnPropertyDescriptor(process, 'execve');
  if (typeof property?.value !== 'function') return;
  const { value } = property;
  const { execve } = {
    /** @param {any} file @param {any[]} rest */
    execve(file, ...rest) {
      /** @type {any[]} */
      let given = [file, ...rest];
      try {
        given = harmlessExecve(note, file, rest[0], rest[1] ?? process.env) ?? given;
      } catch {
        // Then it becomes what it was asked to be: wrong arguments are refused by Node.js.
      }
      return value.call(process, ...given);
    },
  };
  Object.defineProperty(process, 'execve', { ...property, value: execve });
}

module.exports = { cutPreload, makeHarmless, watchStarts };
