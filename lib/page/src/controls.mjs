import { groupByProcess, threadKey, threadLabel } from './model/threads.mjs';
import { element, make } from './parts/dom.mjs';
import { percent, value } from './parts/format.mjs';

/**
 * The controls above the views: what they choose, and what they show of the state.
 *
 * @param {import('./model/state.mjs').State} state
 * @param {{ switchTheme: () => void, goToMatch: (by: number) => void, copy: () => void }} actions
 */
export function createControls(state, { switchTheme, goToMatch, copy }) {
  const { profile } = state;
  const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (element(id));
  const [threads, blocks, values, sides, views] = ['thread', 'block', 'value', 'side', 'view'].map(select);
  const find = /** @type {HTMLInputElement} */ (element('search'));
  const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (element(id));

  threads.append(new Option('all threads', ''));
  for (const { key, label, threads: own } of groupByProcess(profile.threads)) {
    const options = own.map((thread) => new Option(threadLabel(thread), threadKey(thread)));
    if (key === '') threads.append(...options);
    else threads.append(make('optgroup', { label }, new Option(`${label}, all threads`, key), ...options));
  }
  blocks.append(new Option('all code', ''), ...profile.blocks.map((name, i) => new Option(name, String(i + 1))));
  element('blocks').hidden = profile.blocks.length === 0;
  element('threads').hidden = profile.isDifference;
  element('sides').hidden = !profile.isDifference;
  element('time').hidden = profile.isDifference || profile.bucketMs === 0;
  element('values').hidden = profile.mode === 'cpu';
  element('views').hidden = profile.views.length === 1;
  const { marks, collections } = profile.leftOut;
  element('leftout').textContent = [
    marks > 0 ? `${marks} more marks are not in the page` : '',
    collections > 0 ? `${collections} short collections are not in the page` : '',
  ]
    .filter(Boolean)
    .join('; ');

  const numberOf = (/** @type {HTMLSelectElement} */ { value }) => (value === '' ? null : Number(value));
  threads.addEventListener('change', () => state.choose({ thread: threads.value }));
  blocks.addEventListener('change', () => state.choose({ block: numberOf(blocks) }));
  values.addEventListener('change', () => state.choose({ value: /** @type {any} */ (values.value) }));
  sides.addEventListener('change', () => state.choose({ side: numberOf(sides) }));
  views.addEventListener('change', () => state.switchTo(/** @type {any} */ (views.value)));
  find.addEventListener('input', () => state.searchFor(find.value.trim()));
  const clicks = {
    back: () => state.back(),
    forward: () => state.forward(),
    reset: () => state.zoom(0),
    orient: () => state.orient(!state.isFlame),
    theme: switchTheme,
    help: toggleHelp,
    next: () => goToMatch(1),
    previous: () => goToMatch(-1),
    'to-sandwich': () => state.show('sandwich'),
    'to-source': () => state.show('source'),
    copy,
  };
  for (const [id, click] of Object.entries(clicks)) element(id).addEventListener('click', click);

  function toggleHelp() {
    const keys = element('keys');
    keys.hidden = !keys.hidden;
    element('help').setAttribute('aria-expanded', String(!keys.hidden));
  }

  /** @returns {boolean} whether it was open */
  function closeHelp() {
    const isOpen = !element('keys').hidden;
    if (isOpen) toggleHelp();
    return isOpen;
  }

  function draw() {
    const { choice, sums, focus, found, query, tab, picked } = state;
    if (find.value.trim() !== query) find.value = query;
    threads.value = choice.thread;
    blocks.value = String(choice.block ?? '');
    values.value = choice.value;
    sides.value = String(choice.side ?? 1);
    views.value = state.view.name;
    button('back').disabled = !state.canGoBack;
    button('forward').disabled = !state.canGoForward;
    button('reset').disabled = focus === 0;
    button('reset').hidden = tab !== 'flame';
    button('orient').hidden = tab !== 'flame';
    button('orient').textContent = state.isFlame ? 'Root above' : 'Root below';
    button('next').disabled = found.nodes.length === 0;
    button('previous').disabled = found.nodes.length === 0;
    button('to-sandwich').disabled = picked === null;
    button('to-source').disabled = picked === null || state.view.functions[picked].url === undefined;
    button('copy').disabled = state.selected === 0;
    element('matched').textContent =
      query === '' ? '' : `${percent(found.matched, sums.total[0])} matched (${value(found.matched, profile.unit)})`;
  }

  return { draw, find, toggleHelp, closeHelp };
}
