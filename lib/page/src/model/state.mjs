import { fineTotals, functionRows, lineTimes, ownerRows, placesOf, ViewFacts } from './functions.mjs';
import { search } from './search.mjs';
import { sumNodes, sumOwners, sumTracks } from './sums.mjs';

/**
 * What the user has chosen, and what follows from it, computed when it is first asked for. Views read it, and are called when it
 * changes.
 *
 * @typedef {import('./data.mjs').PageProfile} PageProfile
 * @typedef {import('./data.mjs').PageView} PageView
 * @typedef {import('./sums.mjs').Choice} Choice
 * @typedef {'flame' | 'tree' | 'functions' | 'packages' | 'sandwich' | 'source'} Tab
 * @typedef {{ choice: Choice, focus: number, tab: Tab, picked: number | null }} Place
 */

/** @type {Tab[]} */
export const TABS = ['flame', 'tree', 'functions', 'packages', 'sandwich', 'source'];

/** @type {('self' | 'total' | 'name')[]} */
export const SORTS = ['self', 'total', 'name'];

/** A value that is computed when it is asked for, until what it depends on changes. @template T */
class Lazy {
  /** @type {T | undefined} */
  #value;

  /** @param {() => T} compute */
  constructor(compute) {
    this.compute = compute;
  }

  get value() {
    this.#value ??= this.compute();
    return this.#value;
  }

  forget() {
    this.#value = undefined;
  }
}

export class State {
  focus = 0;
  selected = 0;
  /** The function that sandwich and source are of. @type {number | null} */
  picked = null;
  query = '';
  isFlame = false;
  /** @type {Tab} */
  tab = 'flame';
  /** @type {'self' | 'total' | 'name'} */
  sort = 'self';
  /** @type {Place[]} */
  #past = [];
  /** @type {Place[]} */
  #future = [];
  /** @type {(() => void)[]} */
  #listeners = [];
  /** Those that have been looked at. @type {Map<string, ViewFacts>} */
  #views = new Map();

  /** @param {PageProfile} profile @param {(name: PageView['name']) => PageView} readView */
  constructor(profile, readView) {
    this.profile = profile;
    this.readView = readView;
    this.facts = this.#factsOf(profile.view);
    this.choice = this.everything();
  }

  /** @returns {Choice} nothing left out */
  everything() {
    const { bucketCount, mode, isDifference } = this.profile;
    return {
      ...{ thread: '', from: 0, to: bucketCount, value: mode, block: null, category: null, owner: null },
      side: isDifference ? 1 : null,
    };
  }

  #sums = new Lazy(() => sumNodes(this.profile, this.view, this.choice));
  /** In a difference the times that are compared with. */
  #before = new Lazy(() => {
    if (!this.profile.isDifference) return { total: null };
    return sumNodes(this.profile, this.view, { ...this.choice, side: this.choice.side === 1 ? 0 : 1 });
  });
  #owners = new Lazy(() => sumOwners(this.profile, this.choice));
  #tracks = new Lazy(() => sumTracks(this.profile, this.choice));
  #rows = new Lazy(() => functionRows(this.facts, this.sums));
  #ownerRows = new Lazy(() => ownerRows(this.facts, this.sums, this.#selfOwners()));
  #fineTotals = new Lazy(() => fineTotals(this.view, this.sums));
  #found = new Lazy(() => search(this.view, this.sums.total, this.query));

  /** The owners' times of what is chosen. */
  #selfOwners() {
    const { owners } = this.profile;
    const { category, owner } = this.choice;
    return this.owners.map((ns, i) =>
      (category === null || owners[i].category === category) && (owner === null || owner === i) ? ns : 0,
    );
  }

  get view() {
    return this.facts.view;
  }
  get sums() {
    return this.#sums.value;
  }
  get before() {
    return this.#before.value.total;
  }
  get owners() {
    return this.#owners.value;
  }
  get tracks() {
    return this.#tracks.value;
  }
  get rows() {
    return this.#rows.value;
  }
  get ownerRows() {
    return this.#ownerRows.value;
  }
  get found() {
    return this.#found.value;
  }
  /** The time of each line of a script. @param {string} url */
  linesOf(url) {
    return lineTimes(this.facts, this.sums.fineSelf, this.#fineTotals.value, (each) => each.url === url);
  }
  /** @param {number} fn */
  linesOfFunction(fn) {
    return lineTimes(this.facts, this.sums.fineSelf, this.#fineTotals.value, (_, id) => id === fn);
  }
  /** Where in its function a node's time is. @param {number} node */
  placesOf(node) {
    return placesOf(this.view, this.#fineTotals.value, node);
  }

  /** @param {PageView['name']} name */
  #factsOf(name) {
    const known = this.#views.get(name);
    if (known !== undefined) return known;
    const facts = new ViewFacts(this.readView(name), this.profile.owners.length);
    this.#views.set(name, facts);
    return facts;
  }

  /** @param {PageView['name']} name */
  viewNamed(name) {
    return this.#factsOf(name).view;
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  #forgetSums() {
    const own = [this.#sums, this.#before, this.#fineTotals, this.#owners, this.#rows, this.#ownerRows, this.#found];
    for (const each of own) each.forget();
  }

  #announce() {
    for (const listener of this.#listeners) listener();
  }

  /** @returns {Place} */
  get #place() {
    return { choice: this.choice, focus: this.focus, tab: this.tab, picked: this.picked };
  }

  #remember() {
    this.#past.push(this.#place);
    this.#future = [];
  }

  /** Other stacks of the same samples. Nodes are others, so the zoom and its history begin anew. @param {PageView['name']} name */
  switchTo(name) {
    if (name === this.view.name) return;
    const { view, picked } = this;
    const named = picked === null ? null : view.functions[picked];
    this.facts = this.#factsOf(name);
    const same = this.view.functions.findIndex((each) => each.name === named?.name && each.where === named?.where);
    this.picked = same < 0 ? null : same;
    this.focus = 0;
    this.selected = 0;
    this.#past = [];
    this.#future = [];
    this.#forgetSums();
    this.#announce();
  }

  /** @param {Partial<Choice>} changes */
  choose(changes) {
    const { value, block } = this.choice;
    this.#remember();
    this.choice = { ...this.choice, ...changes };
    if (this.choice.value !== value || this.choice.block !== block || 'side' in changes) this.#tracks.forget();
    this.#forgetSums();
    this.#announce();
  }

  /** @param {number} node */
  zoom(node) {
    this.#select(node);
    if (node !== this.focus) {
      this.#remember();
      this.focus = node;
    }
    this.#announce();
  }

  /** @param {number} node */
  select(node) {
    this.#select(node);
    this.#announce();
  }

  /** @param {number} node */
  #select(node) {
    this.selected = node;
    if (node !== 0) this.picked = this.view.functionOf[node];
  }

  /** @param {number | null} fn @param {Tab} [tab] to be shown in */
  pick(fn, tab = this.tab) {
    if (tab !== this.tab || (tab === 'sandwich' && fn !== this.picked)) this.#remember();
    this.picked = fn;
    this.tab = tab;
    this.#announce();
  }

  /** @param {Tab} tab */
  show(tab) {
    this.pick(this.picked, tab);
  }

  /** @param {'self' | 'total' | 'name'} sort */
  sortBy(sort) {
    this.sort = sort;
    this.#announce();
  }

  /** @param {string} query */
  searchFor(query) {
    this.query = query;
    this.#found.forget();
    this.#announce();
  }

  /** @param {boolean} isFlame the root at the bottom */
  orient(isFlame) {
    this.isFlame = isFlame;
    this.#announce();
  }

  /** @param {Partial<{ view: PageView['name'], choice: Choice, focus: number, selected: number, picked: number | null, query: string, isFlame: boolean, tab: Tab, sort: State['sort'] }>} all what a link says */
  restore({ view, ...rest }) {
    if (view !== undefined) this.facts = this.#factsOf(view);
    Object.assign(this, rest);
    this.#forgetSums();
    this.#tracks.forget();
    this.#announce();
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

  /** @param {Place[]} from @param {Place[]} to */
  #go(from, to) {
    const place = from.pop();
    if (place === undefined) return;
    to.push(this.#place);
    Object.assign(this, place);
    this.selected = place.focus;
    this.#forgetSums();
    this.#tracks.forget();
    this.#announce();
  }
}
