import { SORTS, TABS } from './state.mjs';
import { isThreadChoice } from './threads.mjs';

/**
 * The state as the fragment of the page's address, and back. What is as at the start is not written; what is not of this profile is
 * not read.
 *
 * @typedef {import('./state.mjs').State} State
 */

/** @param {State} state @returns {string} without `#` */
export function linkOf(state) {
  const { profile, choice, view } = state;
  const start = state.everything();
  const words = new URLSearchParams();
  /** @param {string} name @param {unknown} value @param {unknown} usual */
  const note = (name, value, usual) => {
    if (value !== usual && value !== null) words.set(name, String(value));
  };
  note('view', view.name, profile.view);
  note('tab', state.tab, 'flame');
  note('thread', choice.thread, '');
  note('time', `${choice.from}-${choice.to}`, `${start.from}-${start.to}`);
  for (const name of /** @type {const} */ (['value', 'block', 'side', 'category', 'owner']))
    note(name, choice[name], start[name]);
  note('function', state.picked, null);
  note('zoom', state.focus, 0);
  note('frame', state.selected, 0);
  note('search', state.query, '');
  note('sort', state.sort, 'self');
  note('flame', state.isFlame, false);
  return words.toString();
}

/**
 * @param {State} state
 * @param {string} fragment without `#`
 * @returns {Parameters<State['restore']>[0]}
 */
export function readLink(state, fragment) {
  const { profile } = state;
  const words = new URLSearchParams(fragment);
  /** @param {string} name @param {number} end excluded @returns {number | null} */
  const number = (name, end) => {
    const text = words.get(name) ?? '';
    return /^\d{1,9}$/.test(text) && Number(text) < end ? Number(text) : null;
  };
  /** @template {string} T @param {string} name @param {readonly T[]} allowed @param {T} usual @returns {T} */
  const word = (name, allowed, usual) => allowed.find((each) => each === words.get(name)) ?? usual;

  const view = word('view', profile.views, profile.view);
  const start = state.everything();
  const { functions, parents } = state.viewNamed(view);
  const time =
    /^(\d{1,9})-(\d{1,9})$/
      .exec(words.get('time') ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  const isTime = time.length === 2 && time[0] < time[1] && time[1] <= profile.bucketCount;
  const thread = words.get('thread') ?? '';
  const block = number('block', profile.blocks.length + 1);
  return {
    view,
    choice: {
      thread: isThreadChoice(profile.threads, thread) ? thread : '',
      ...{ from: isTime ? time[0] : start.from, to: isTime ? time[1] : start.to },
      value: profile.mode === 'wall' ? word('value', ['cpu', 'wall'], start.value) : start.value,
      block: block === 0 ? null : block,
      side: profile.isDifference ? (number('side', 2) ?? start.side) : null,
      category: number('category', profile.categories.length),
      owner: number('owner', profile.owners.length),
    },
    ...{ tab: word('tab', TABS, 'flame'), sort: word('sort', SORTS, 'self') },
    ...{ query: words.get('search') ?? '', isFlame: words.get('flame') === 'true' },
    picked: number('function', functions.length),
    focus: number('zoom', parents.length) ?? 0,
    selected: number('frame', parents.length) ?? 0,
  };
}
