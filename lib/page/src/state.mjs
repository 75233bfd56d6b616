import { functionTimes, linkChildren, search, sumBuckets, sumNodes } from './tree.mjs';

/**
 * What the user has chosen, and what follows from it. Views read it, and are told when it changes.
 *
 * @typedef {import('./data.mjs').PageProfile} PageProfile
 * @typedef {import('./tree.mjs').Choice} Choice
 */
export class State {
  /** @type {Choice} */
  choice;
  focus = 0;
  selected = 0;
  query = '';
  isFlame = false;
  /** @type {{ choice: Choice, focus: number }[]} */
  #past = [];
  /** @type {{ choice: Choice, focus: number }[]} */
  #future = [];
  /** @type {(() => void)[]} */
  #listeners = [];

  /** @param {PageProfile} profile */
  constructor(profile) {
    this.profile = profile;
    this.links = linkChildren(profile.parents);
    this.choice = {
      ...{ thread: null, from: 0, to: profile.bucketCount, value: profile.mode, block: null },
      side: profile.isDifference ? 1 : null,
    };
    this.sums = sumNodes(profile, this.choice);
    this.before = this.#otherSide();
    this.buckets = sumBuckets(profile, this.choice);
    this.rows = functionTimes(profile, this.sums, this.focus);
    this.found = this.#find();
  }

  /** In a difference the times that are compared with. */
  #otherSide() {
    const { profile, choice } = this;
    return profile.isDifference ? sumNodes(profile, { ...choice, side: choice.side === 1 ? 0 : 1 }).total : null;
  }

  #find() {
    const text = this.query.toLowerCase();
    const isMatch = (/** @type {string} */ name) => text !== '' && name.toLowerCase().includes(text);
    return search(this.profile, this.sums.total, this.focus, isMatch);
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  #compute() {
    this.sums = sumNodes(this.profile, this.choice);
    this.before = this.#otherSide();
    this.buckets = sumBuckets(this.profile, this.choice);
    this.#computeFocus();
  }

  #computeFocus() {
    this.rows = functionTimes(this.profile, this.sums, this.focus);
    this.found = this.#find();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }

  #remember() {
    this.#past.push({ choice: this.choice, focus: this.focus });
    this.#future = [];
  }

  /** Other stacks of the same samples. Nodes are others, so the zoom and its history begin anew. @param {PageProfile} profile */
  switchTo(profile) {
    const scale = profile.bucketCount / this.profile.bucketCount;
    const { from, to } = this.choice;
    this.profile = profile;
    this.links = linkChildren(profile.parents);
    this.choice = { ...this.choice, from: Math.floor(from * scale), to: Math.ceil(to * scale) };
    this.focus = 0;
    this.selected = 0;
    this.#past = [];
    this.#future = [];
    this.#compute();
    this.#tell();
  }

  /** @param {Partial<Choice>} changes */
  choose(changes) {
    this.#remember();
    this.choice = { ...this.choice, ...changes };
    this.#compute();
    this.#tell();
  }

  /** @param {number} node */
  zoom(node) {
    this.selected = node;
    if (node !== this.focus) {
      this.#remember();
      this.focus = node;
      this.#computeFocus();
    }
    this.#tell();
  }

  /** @param {number} node */
  select(node) {
    this.selected = node;
    this.#tell();
  }

  /** @param {string} query */
  searchFor(query) {
    this.query = query;
    this.found = this.#find();
    this.#tell();
  }

  /** @param {boolean} isFlame the root at the bottom */
  orient(isFlame) {
    this.isFlame = isFlame;
    this.#tell();
  }

  get canGoBack() {
    return this.#past.length > 0;
  }
  get canGoForward() {
    return this.#future.length > 0;
  }
  back() {
    this.#go(this.#past, this.#future);
  }
  forward() {
    this.#go(this.#future, this.#past);
  }

  /** @param {{ choice: Choice, focus: number }[]} from @param {{ choice: Choice, focus: number }[]} to */
  #go(from, to) {
    const place = from.pop();
    if (place === undefined) return;
    to.push({ choice: this.choice, focus: this.focus });
    this.choice = place.choice;
    this.focus = place.focus;
    this.selected = place.focus;
    this.#compute();
    this.#tell();
  }
}
