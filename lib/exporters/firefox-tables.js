'use strict';

const path = require('node:path');
const { GC, PROGRAM, displayName } = require('../recording/frames');
const { numberFunctions } = require('../recording/model');
const { FrameCategories } = require('../views/frame-categories');

/**
 * The tables that all threads of a processed profile share: strings, sources, libraries, functions, frames, stacks. Ours are
 * columns already, so that a frame keeps its number and a stack has its own less one.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** Of the profiler's `resourceTypes`. */
const LIBRARY = 1;
const URL_RESOURCE = 5;
const NONE = -1;

/** Texts by number, each once. */
class Strings {
  /** @type {Map<string, number>} */
  #numbers = new Map();

  /** @param {string} text */
  of(text) {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  get all() {
    return [...this.#numbers.keys()];
  }
}

class FirefoxTables {
  strings = new Strings();
  /** @type {{ filename: number[] }} */
  #sources = { filename: [] };
  /** @type {Map<string, number>} */
  #sourceOf = new Map();
  /** @type {Map<string, number>} */
  #resourceOf = new Map();
  /** @type {{ lib: (number | null)[], name: number[], host: null[], type: number[] }} */
  #resources = { lib: [], name: [], host: [], type: [] };
  /** @type {{ name: string, path: string, debugName: string, debugPath: string, breakpadId: string, codeId: string | null, arch: string }[]} */
  libs = [];

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    this.categories = new FrameCategories(recording);
    /** Nodes that no stack of ours has: in a collection, and without any frame. @type {{ frame: number[], prefix: (number | null)[] }} */
    this.added = { frame: [], prefix: [] };
    /** @type {Map<number, number>} */
    this.addedOf = new Map();
    this.gcFrame = recording.frames.length;
    this.programFrame = recording.frames.length + 1;
  }

  /** @param {string} url */
  #source(url) {
    let number = this.#sourceOf.get(url);
    if (number === undefined) {
      number = this.#sources.filename.push(this.strings.of(url)) - 1;
      this.#sourceOf.set(url, number);
    }
    return number;
  }

  /** @param {Frame} frame */
  #resource({ module, url }) {
    const key = module || url;
    if (key === '') return NONE;
    let number = this.#resourceOf.get(key);
    if (number === undefined) {
      const isLibrary = module !== '';
      const name = isLibrary ? path.posix.basename(module) : url;
      this.#resources.lib.push(isLibrary ? this.#library(module, name) : null);
      this.#resources.host.push(null);
      this.#resources.type.push(isLibrary ? LIBRARY : URL_RESOURCE);
      number = this.#resources.name.push(this.strings.of(name)) - 1;
      this.#resourceOf.set(key, number);
    }
    return number;
  }

  /** @param {string} file @param {string} name */
  #library(file, name) {
    const buildId = this.recording.modules.find((module) => module.path === file)?.buildId ?? '';
    const names = { name, path: file, debugName: name, debugPath: file };
    return this.libs.push({ ...names, breakpadId: '', codeId: buildId === '' ? null : buildId, arch: '' }) - 1;
  }

  /** @param {Frame[]} functions */
  #functionTable(functions) {
    const isScript = (/** @type {Frame} */ { kind }) => kind === 'js' || kind === 'unknown-js';
    const placed = (/** @type {Frame} */ frame, /** @type {number} */ number) =>
      frame.url === '' || number === 0 ? null : number;
    const names = [...functions.map(displayName), GC, PROGRAM];
    // Of the two that no frame of ours has.
    const none = [null, null];
    const no = [false, false];
    return {
      name: names.map((name) => this.strings.of(name)),
      isJS: [...functions.map(isScript), ...no],
      relevantForJS: [...functions.map((frame) => frame.kind === 'builtin'), ...no],
      resource: [...functions.map((frame) => this.#resource(frame)), NONE, NONE],
      source: [...functions.map(({ url }) => (url === '' ? null : this.#source(url))), ...none],
      lineNumber: [...functions.map((frame) => placed(frame, frame.line)), ...none],
      columnNumber: [...functions.map((frame) => placed(frame, frame.column)), ...none],
    };
  }

  /** @param {Uint32Array} functionOf @param {number} functionCount */
  #frameTable(functionOf, functionCount) {
    const { frames } = this.recording;
    const count = frames.length + 2;
    const filled = (/** @type {number | null} */ value) => Array(count).fill(value);
    const owners = [...frames.map((_, index) => this.categories.of(index)), this.categories.collection, null];
    return {
      address: filled(NONE),
      inlineDepth: filled(0),
      category: owners.map((owner) => owner?.category ?? null),
      subcategory: owners.map((owner) => owner?.part ?? null),
      func: [...functionOf, functionCount, functionCount + 1],
      nativeSymbol: filled(null),
      innerWindowID: filled(0),
      line: [...frames.map(({ sampledLine }) => sampledLine || null), null, null],
      column: [...frames.map(({ sampledLine, sampledColumn }) => (sampledLine && sampledColumn) || null), null, null],
    };
  }

  /** The stack of a sample; asked for before the tables are made. @param {number} stack @param {boolean} isGc @returns {number} */
  stackOf(stack, isGc) {
    if (stack !== 0 && !isGc) return stack - 1;
    const key = isGc ? stack : -1;
    let number = this.addedOf.get(key);
    if (number === undefined) {
      this.added.frame.push(isGc ? this.gcFrame : this.programFrame);
      this.added.prefix.push(stack === 0 ? null : stack - 1);
      number = this.recording.stackParents.length - 1 + this.addedOf.size;
      this.addedOf.set(key, number);
    }
    return number;
  }

  /** By name, in the order of the file. @returns {Record<string, Record<string, unknown[]>>} */
  tables() {
    const { frames, stackFrames, stackParents } = this.recording;
    const { functionOf, representatives } = numberFunctions(frames);
    const funcTable = this.#functionTable(representatives);
    const frameTable = this.#frameTable(functionOf, representatives.length);
    const parents = [...stackParents.subarray(1)].map((parent) => (parent === 0 ? null : parent - 1));
    const nothing = this.#sources.filename.map(() => null);
    return {
      stackTable: {
        frame: [...stackFrames.subarray(1), ...this.added.frame],
        prefix: [...parents, ...this.added.prefix],
      },
      frameTable,
      funcTable,
      resourceTable: this.#resources,
      nativeSymbols: { libIndex: [], address: [], name: [], functionSize: [] },
      sources: {
        id: nothing,
        filename: this.#sources.filename,
        startLine: nothing.map(() => 1),
        startColumn: nothing.map(() => 1),
        sourceMapURL: nothing,
      },
    };
  }
}

module.exports = { FirefoxTables };
