'use strict';

const { CATEGORIES, COLLECTION, COMPILATION, NODE, OTHER, ownerOf } = require('./categories');
const { roleOf } = require('./frame-roles');
const { Packages } = require('./packages');

/**
 * The category of each frame, for formats that colour frames by it. What the engine does for the code above it has none of its
 * own: it counts as its caller does, as in the program view.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {{ category: number, part: number }} CategoryNumbers `category`: in `names`; `part`: in its `parts`
 */
class FrameCategories {
  /** Each with its parts, of which the first stands for the category itself. @type {{ name: string, parts: string[] }[]} */
  names = CATEGORIES.map((name) => ({ name, parts: ['Other'] }));

  /** @param {Recording} recording */
  constructor(recording) {
    const packages = new Packages();
    this.numbers = recording.frames.map((frame) => {
      const { part, work } = roleOf(frame, recording.execPath);
      if (work !== null) return this.#number(work === 'gc' ? COLLECTION : COMPILATION, '');
      if (part === 'engine' || part === 'c') return null;
      if (part === 'node') return this.#number(NODE, '');
      const owner = ownerOf(frame, recording, packages);
      return this.#number(owner.category, owner.part);
    });
    this.collection = this.#number(COLLECTION, '');
    this.other = this.#number(OTHER, '');
  }

  /** @param {import('../index').Category['name']} category @param {string} part @returns {CategoryNumbers} */
  #number(category, part) {
    const number = CATEGORIES.indexOf(category);
    const { parts } = this.names[number];
    if (part === '') return { category: number, part: 0 };
    const known = parts.indexOf(part);
    return { category: number, part: known >= 0 ? known : parts.push(part) - 1 };
  }

  /** @param {number} frame its index @returns {CategoryNumbers | null} null: its caller's */
  of(frame) {
    return this.numbers[frame];
  }
}

module.exports = { FrameCategories };
