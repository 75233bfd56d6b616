'use strict';

const { errors } = require('../base/errors');
const { loadBinding } = require('../native/binding');
const { BlockHandle, useTiming } = require('./block-handle');
const { callSite } = require('./call-site');

/**
 * Blocks and tracks: named sections of a program, timed by itself; documented in `blocks.d.ts`. Works without a recording;
 * with one, samples carry the name of the block that they were taken in.
 */

const MAX_NAME = 200;

/** @type {import('../../binding') | null} */
let binding = null;

function native() {
  if (binding !== null) return binding;
  const { isMainThread, threadId } = require('node:worker_threads');
  binding = loadBinding();
  useTiming(binding);
  binding.blockThread(isMainThread ? 'main' : `worker ${threadId}`);
  return binding;
}

/** @param {string} what @param {unknown} name */
function checkName(what, name) {
  if (typeof name !== 'string') throw errors.optionType(what, name, 'a string');
  if (name === '' || name.length > MAX_NAME) throw errors.optionRange(what, name, `1 to ${MAX_NAME} characters`);
}

/** @param {unknown} settings @param {string[]} known */
function checkSettings(settings, known) {
  if (typeof settings !== 'object' || settings === null) throw errors.optionType('settings', settings, 'an object');
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown !== undefined) throw errors.unknownOption(unknown, null, known);
}

/** A track, to be switched on and off. */
class Track {
  #profiler;
  /** Of this thread's handles; native keeps it right. */
  enabledWord;

  /** @param {string} profiler @param {string} name */
  constructor(profiler, name) {
    this.#profiler = profiler;
    this.name = name;
    // Not `new Uint32Array(1)`: so small an array may lie in V8's heap, and move.
    this.enabledWord = new Uint32Array(new ArrayBuffer(8));
    native().blockTrack(profiler, name, this.enabledWord);
    Object.defineProperty(this, 'enabledWord', { enumerable: false });
  }

  get enabled() {
    return this.enabledWord[0] !== 0;
  }

  enable() {
    native().blockEnable(this.#profiler, this.name, true);
    return this;
  }

  disable() {
    native().blockEnable(this.#profiler, this.name, false);
    return this;
  }
}

/** A set of tracks, blocks and results. */
class BlockProfiler {
  /** @type {Map<string, Track>} */
  #tracks = new Map();
  /** @type {Map<string, Map<string, BlockHandle>>} */
  #handles = new Map();

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @param {string} name */
  track(name) {
    let track = this.#tracks.get(name);
    if (track === undefined) {
      checkName('track', name);
      track = new Track(this.name, name);
      this.#tracks.set(name, track);
    }
    return track;
  }

  /** @param {string} track @param {string} name */
  block(track, name) {
    return this.#handles.get(track)?.get(name) ?? this.#makeHandle(track, name);
  }

  /** @param {string} track @param {string} name */
  #makeHandle(track, name) {
    checkName('track', track);
    checkName('name', name);
    const { enabledWord } = this.track(track);
    const { file, line } = callSite();
    const id = native().blockFind(this.name, track, name, file, line);
    if (id === 0) throw errors.tooManyBlocks(`${track}/${name}`);
    const handle = new BlockHandle(id, enabledWord, track, name);
    let handles = this.#handles.get(track);
    if (handles === undefined) {
      handles = new Map();
      this.#handles.set(track, handles);
    }
    handles.set(name, handle);
    return handle;
  }

  /** @param {string} track */
  enable(track) {
    this.track(track).enable();
  }

  /** @param {string} track */
  disable(track) {
    this.track(track).disable();
  }

  /** @param {{ perThread?: boolean }} [settings] */
  results(settings = {}) {
    checkSettings(settings, ['perThread']);
    return native().blockResults(this.name, settings.perThread === true);
  }

  /** Counters begin anew, on all threads. */
  reset() {
    native().blockReset(this.name);
  }

  /** Over all profilers of the process. */
  problems() {
    return native().blockProblems();
  }

  /** @param {{ perThread?: boolean }} [settings] */
  toCsv(settings) {
    const { toCsv } = require('./blocks-report');
    return toCsv(this.results(settings), settings?.perThread === true);
  }

  /** @param {{ perThread?: boolean }} [settings] */
  toJson(settings) {
    const { toJson } = require('./blocks-report');
    return toJson(this.name, this.results(settings), this.problems());
  }

  /** @param {{ perThread?: boolean }} [settings] */
  toText(settings) {
    const { toText } = require('./blocks-report');
    return toText(this.results(settings), this.problems());
  }

  /** @param {string} file @param {{ perThread?: boolean }} [settings] */
  async write(file, settings) {
    if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file');
    const path = require('node:path');
    const formats = /** @type {Record<string, () => string>} */ ({
      '.csv': () => this.toCsv(settings),
      '.json': () => this.toJson(settings),
      '.txt': () => this.toText(settings),
    });
    const format = formats[path.extname(file).toLowerCase()];
    if (format === undefined) throw errors.unknownFormat(file, Object.keys(formats).join(', '));
    const { writePieces } = require('../base/write-pieces');
    await writePieces(file, [format()]);
    return path.resolve(file);
  }
}

/** @type {Map<string, BlockProfiler>} */
const profilers = new Map();

/** @param {string} name */
function blockProfiler(name) {
  let profiler = profilers.get(name);
  if (profiler === undefined) {
    checkName('name', name);
    profiler = new BlockProfiler(name);
    profilers.set(name, profiler);
  }
  return profiler;
}

/** The default profiler. */
const blocks = new BlockProfiler('');

/** @param {string} track @param {string} name */
function block(track, name) {
  return blocks.block(track, name);
}

/** @param {string} name */
function track(name) {
  return blocks.track(name);
}

/** @param {boolean} isEnabled */
function enableBlocks(isEnabled) {
  if (typeof isEnabled !== 'boolean') throw errors.optionType('isEnabled', isEnabled, 'true or false');
  native().blockEnableAll(isEnabled);
}

function blocksEnabled() {
  return native().blocksEnabled();
}

module.exports = { block, track, blocks, blockProfiler, enableBlocks, blocksEnabled };
