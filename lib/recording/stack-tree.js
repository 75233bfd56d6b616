'use strict';

/** A growing stack tree: equal stacks are one node. */
class StackTree {
  parents = [0];
  frames = [0];
  /** @type {Map<number, Map<number, number>>} */
  #children = new Map();

  /** @param {number} parent @param {number} frame */
  child(parent, frame) {
    let own = this.#children.get(parent);
    if (own === undefined) {
      own = new Map();
      this.#children.set(parent, own);
    }
    let node = own.get(frame);
    if (node === undefined) {
      node = this.parents.length;
      own.set(frame, node);
      this.parents.push(parent);
      this.frames.push(frame);
    }
    return node;
  }
}

module.exports = { StackTree };
