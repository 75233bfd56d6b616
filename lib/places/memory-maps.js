'use strict';

const Module = require('node:module');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

/**
 * Notes the source maps of code that a program compiles in memory (tsx, ts-node, swc, Babel, Jest, Vitest,
 * `--experimental-transform-types`): they are nowhere but in the text that V8 has. Only where something hints at such code,
 *   - what compiles CommonJS, and Jest's modules, is looked at on its way to V8;
 *   - where modules may be compiled, V8 is asked for all scripts when the thread ends: by a debugger, which is attached for a moment
 *     in which no JavaScript runs.
 *
 * @typedef {(script: string, length: number, reference: string, text: () => string) => void} Note of a map in a `data:` URL
 */

/** What makes Node.js load code of others before the program, or change what it compiles. */
const HINT =
  /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader|--experimental-transform-types|--enable-source-maps)(?=[=\s]|$)(?:[=\s]+"?([^\s"]+))?/g;
/** Those that concern modules. */
const MODULE_HINT =
  /(?:^|\s)(?:--loader|--experimental-loader|--experimental-transform-types)(?=[=\s]|$)|(?:^|\s)--import[=\s]+"?\S*(?:tsx|ts-node|tsm|swc|esbuild|babel|jiti|sucrase|loader|register)/;
/** Programs that compile what they run, by their path. */
const COMMAND = /(?:^|[/\\-])(?:ts-node|tsx|babel-node|_babel-node|swc-node|esbuild-register|jest|vitest|mocha|ava)\b/;
/** Variables of their workers. */
const RUNNERS = ['JEST_WORKER_ID', 'VITEST'];
const FIRST_LOOK_MS = 200;
/** Of a map's address; a longer one is not noted. */
const MAX_CHARACTERS = 32 << 20;
/** The comment is on one of the last lines: a wrapper and a `sourceURL` may follow. */
const LAST_LINES = 6;
const REFERENCE = /\/\/[#@][ \t]+sourceMappingURL=(data:[^\s'"`]+)/;

/** The preload, or the file that stands for it (cli/preload.js). @param {string | undefined} file */
function isOwnPreload(file) {
  if (file === undefined) return false;
  const folder = path.basename(path.dirname(file));
  return (
    file === 'spprof/register' ||
    path.join(__dirname, '..', 'register.js').startsWith(file) ||
    folder.startsWith('spprof-preload-')
  );
}

/** Whether an option of this process may bring a compiler. @param {string} words */
function hasHint(words) {
  return [...words.matchAll(HINT)].some(([, file]) => !isOwnPreload(file));
}

/** Of Node.js in this process. */
function givenOptions() {
  return [process.env.NODE_OPTIONS ?? '', ...process.execArgv].join(' ');
}

function isHinted() {
  const { argv, env } = process;
  if (RUNNERS.some((name) => env[name] !== undefined) || COMMAND.test(argv[1] ?? '')) return true;
  return hasHint(givenOptions());
}

/**
 * Whether modules may be compiled in memory, which are seen in no other way than by listing all scripts. That takes V8 some tenths of
 * a second where there are many megabytes of them. What compiles modules says so, or has source maps enabled.
 */
function mayCompileModules() {
  const options = givenOptions();
  if (process.env.VITEST !== undefined || MODULE_HINT.test(options)) return true;
  return /** @type {any} */ (process).sourceMapsEnabled === true && !options.includes('--enable-source-maps');
}

/** Without the sources' texts, which nothing here needs. @param {any} map @returns {any} */
function withoutTexts({ sourcesContent, ...map }) {
  if (!Array.isArray(map.sections)) return map;
  const sections = map.sections.map((/** @type {any} */ section) => ({
    ...section,
    map: withoutTexts(section.map ?? {}),
  }));
  return { ...map, sections };
}

/** @param {string} text */
function inAscii(text) {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Writes maps into the recording, each once. The starts of the code's lines come with it, for functions whose lines V8 has not
 * computed.
 * @param {import('../../binding')} binding
 * @returns {Note}
 */
function noteInto(binding) {
  const { scriptPath } = require('../recording/frames');
  const { decodeDataUrl } = require('./map-comment');
  const { lineStarts } = require('./source-positions');
  /** @type {Set<string>} */
  const noted = new Set();
  return (script, length, reference, text) => {
    const key = `${scriptPath(/** @type {any} */ ({ url: script })) ?? script}\0${length}`;
    if (noted.has(key) || reference.length > MAX_CHARACTERS) return;
    noted.add(key);
    try {
      const map = withoutTexts(JSON.parse(decodeDataUrl(reference) ?? ''));
      binding.sourceMap(script, length, inAscii(JSON.stringify({ ...map, x_spprof_line_starts: lineStarts(text()) })));
    } catch {
      // The map is damaged: the script's lines stay unknown.
    }
  };
}

/** The map that a text contains. @param {string} text @returns {string | null} a `data:` URL */
function ownMap(text) {
  for (let i = 0, end = text.length; i < LAST_LINES && end > 0; i++) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const found = REFERENCE.exec(text.slice(start, end));
    if (found !== null) return found[1];
    end = start - 1;
  }
  return null;
}

/** @param {Note} note */
function watchCompilers(note) {
  const look = (/** @type {unknown} */ text, /** @type {unknown} */ script) => {
    if (typeof text !== 'string' || typeof script !== 'string') return;
    const reference = ownMap(text);
    if (reference !== null) note(script, text.length, reference, () => text);
  };
  const prototype = /** @type {any} */ (Module).prototype;
  const { _compile: compile } = prototype;
  prototype._compile = function _compile(/** @type {string} */ content, /** @type {string} */ filename) {
    look(content, filename);
    // biome-ignore lint/complexity/noArguments: whatever a later version of Node.js adds
    return Reflect.apply(compile, this, arguments);
  };
  if (!/jest/.test(process.argv[1] ?? '') && process.env.JEST_WORKER_ID === undefined) return;
  const vm = /** @type {any} */ (require('node:vm'));
  vm.Script = new Proxy(vm.Script, {
    construct(target, args, newTarget) {
      look(args[0], args[1]?.filename ?? args[1]);
      return Reflect.construct(target, args, newTarget);
    },
  });
  vm.compileFunction = new Proxy(vm.compileFunction, {
    apply(target, self, args) {
      look(args[0], args[2]?.filename);
      return Reflect.apply(target, self, args);
    },
  });
}

/** Notes the maps of all scripts that this thread has. @param {Note} note */
function noteAll(note) {
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url, length = 0, sourceMapURL = '' } }) => {
    if (!sourceMapURL.startsWith('data:')) return;
    let text = '';
    session.post('Debugger.getScriptSource', { scriptId }, (_, answer) => {
      text = answer?.scriptSource ?? '';
    });
    note(url, length, sourceMapURL, () => text);
  });
  session.post('Debugger.enable');
  session.post('Debugger.disable');
  session.disconnect();
}

/** Vitest ends its workers by a signal, so theirs are noted from time to time, ever more seldom. @param {() => void} look @param {number} delayMs */
function lookNowAndThen(look, delayMs) {
  setTimeout(() => {
    look();
    lookNowAndThen(look, delayMs * 2);
  }, delayMs).unref();
}

/**
 * Has the maps of this thread's scripts noted. Of a program in which nothing hints at a compiler, nothing is changed.
 * @param {import('../../binding')} binding
 */
function noteMemoryMaps(binding) {
  if (!isHinted()) return;
  const note = noteInto(binding);
  watchCompilers(note);
  const look = () => {
    if (!mayCompileModules()) return;
    // What V8 does meanwhile is not the program's work.
    const isPaused = isMainThread && binding.isRunning() && binding.pause();
    try {
      noteAll(note);
    } catch {
      // A Node.js without inspector, or one that does not permit it: what was not seen on its way to V8 has no lines.
    }
    if (isPaused) binding.resume();
  };
  process.once('exit', look);
  if (process.env.VITEST !== undefined) lookNowAndThen(look, FIRST_LOOK_MS);
}

module.exports = { hasHint, noteMemoryMaps, ownMap };
