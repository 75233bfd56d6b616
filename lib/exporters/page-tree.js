'use strict';

const { GC, PROGRAM, displayName, placer } = require('../recording/frames');
const { GC_FRAME, STATE_GC, numberFunctions } = require('../recording/model');
const { shortNames } = require('../recording/native-names');
const { FrameCategories } = require('../views/frame-categories');
const { pageKind } = require('./frame-kinds');

/**
 * The stacks of one view, as the page carries them: a tree by functions, and a finer one in which a function's lines and tiers are
 * nodes of their own. A sample is on a node of the finer tree; each of those belongs to one node of the other.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */

/** Nodes of a tree that are found by their parent and what they are of. */
class Nodes {
  /** @type {Map<number, number>} */
  #numbers = new Map();
  parents = [0];
  values = [0];

  /** @param {number} kinds how many values there are */
  constructor(kinds) {
    this.kinds = kinds;
  }

  /** @param {number} parent @param {number} value */
  child(parent, value) {
    const key = parent * this.kinds + value;
    let node = this.#numbers.get(key);
    if (node === undefined) {
      node = this.parents.push(parent) - 1;
      this.values.push(value);
      this.#numbers.set(key, node);
    }
    return node;
  }
}

/** Texts with numbers. */
class Texts {
  /** @type {string[]} */
  all = [''];
  #numbers = new Map([['', 0]]);

  /** @param {string} text */
  number(text) {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

class PageTree {
  /** Of each line and tier: `[line, tier]`; the first is none. @type {[number, string][]} */
  places = [[0, '']];

  /**
   * @param {Recording} recording in the view
   * @param {(category: string, part: string) => number} ownerNumber
   */
  constructor(recording, ownerNumber) {
    this.recording = recording;
    const { frames, stackFrames, stackParents } = recording;
    const { functionOf, representatives } = numberFunctions(frames);
    this.functions = describeFunctions(recording, representatives, ownerNumber);
    // A collection is one function, whether a frame says so or the sample's state.
    const gc = representatives.findIndex(({ kind }) => kind === 'gc');
    const collector = { name: GC, where: '', kind: pageKind(GC_FRAME), owner: ownerNumber('garbage collection', '') };
    this.gc = gc >= 0 ? gc : this.functions.push(collector) - 1;
    this.program =
      this.functions.push({ name: PROGRAM, where: '', kind: 'other', owner: ownerNumber('other', '') }) - 1;

    const texts = new Texts();
    const placeOf = frames.map(({ sampledLine, tier }) => {
      const place = texts.number(sampledLine > 0 || tier !== '' ? `${sampledLine}\0${tier}` : '');
      this.places[place] = [sampledLine, tier];
      return place;
    });
    this.nodes = new Nodes(2 * this.functions.length);
    this.fine = new Nodes(2 * this.functions.length * this.places.length);
    /** The node that each of the finer tree belongs to. */
    this.nodeOf = [0];
    this.fineOfStack = new Uint32Array(stackParents.length);
    for (let stack = 1; stack < stackParents.length; stack++) {
      const frame = stackFrames[stack];
      const own = functionOf[frame] * 2 + (frames[frame].inlined ? 1 : 0);
      this.fineOfStack[stack] = this.#child(this.fineOfStack[stackParents[stack]], own, placeOf[frame]);
    }
  }

  /** @param {number} parent of the finer tree @param {number} own twice the function's number, and 1 if it is inlined @param {number} place */
  #child(parent, own, place) {
    const fine = this.fine.child(parent, own * this.places.length + place);
    if (fine === this.nodeOf.length) this.nodeOf.push(this.nodes.child(this.nodeOf[parent], own));
    return fine;
  }

  /** The node of a sample, of the finer tree. @param {number} i */
  nodeOfSample(i) {
    const { sampleStacks, sampleStates } = this.recording;
    const fine = this.fineOfStack[sampleStacks[i]];
    if ((sampleStates[i] & STATE_GC) !== 0) return this.#child(fine, this.gc * 2, 0);
    return sampleStacks[i] === 0 ? this.#child(0, this.program * 2, 0) : fine;
  }

  /** Columns of the page, complete when all samples have been asked for. */
  columns() {
    return {
      ...{ fineParents: this.fine.parents, fineNodes: this.nodeOf },
      finePlaces: this.fine.values.map((value) => value % this.places.length),
      functionOf: this.nodes.values,
    };
  }
}

/** What native code of these categories is coloured as. @type {Record<string, import('./frame-kinds').PageKind>} */
const ENGINE_KINDS = { 'Node.js': 'core', 'garbage collection': 'gc', compilation: 'compilation' };

/**
 * The colour of a frame: native code of the engine and of Node.js is theirs, and not what the program calls native.
 * @param {import('../../binding').NativeFrame} frame
 * @param {string | undefined} category its own
 */
function kindOf(frame, category) {
  const kind = pageKind(frame);
  if (kind !== 'native') return kind;
  return category === undefined ? 'builtin' : (ENGINE_KINDS[category] ?? kind);
}

/**
 * @param {Recording} recording
 * @param {import('../../binding').NativeFrame[]} representatives
 * @param {(category: string, part: string) => number} ownerNumber
 */
function describeFunctions(recording, representatives, ownerNumber) {
  const natives = representatives.filter(({ kind }) => kind === 'native');
  const short = shortNames(natives.map(displayName));
  const whereOf = placer(recording.frames);
  const categories = new FrameCategories({ ...recording, frames: representatives });
  return representatives.map((frame, i) => {
    const full = displayName(frame);
    const name = frame.kind === 'native' ? short(full) : full;
    const category = categories.of(i);
    const named = category === null ? null : categories.names[category.category];
    // -1: what the engine does for the code above it.
    const owner =
      category === null || named === null
        ? -1
        : ownerNumber(named.name, category.part === 0 ? '' : named.parts[category.part]);
    const isScript = frame.kind === 'js' && frame.line > 0 && frame.url !== '';
    const source = isScript ? { url: frame.url, line: frame.line } : {};
    return {
      ...{ name, where: whereOf(frame), kind: kindOf(frame, named?.name), owner },
      ...(name === full ? {} : { full }),
      ...source,
    };
  });
}

module.exports = { PageTree };
