import { element, setAttributes } from './parts/dom.mjs';

/**
 * The tabs: one stop of the Tab key, arrow keys go from one to the next.
 *
 * @typedef {import('./model/state.mjs').Tab} Tab
 * @param {import('./model/state.mjs').State} state
 */
export function createTabs(state) {
  const tabs = /** @type {HTMLElement[]} */ ([...element('tabs').children]);
  const nameOf = (/** @type {HTMLElement} */ tab) => /** @type {Tab} */ (tab.dataset.tab);
  for (const tab of tabs) tab.addEventListener('click', () => state.show(nameOf(tab)));
  element('tabs').addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const at = tabs.findIndex((tab) => nameOf(tab) === state.tab);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    state.show(nameOf(next));
    next.focus();
  });

  function draw() {
    for (const tab of tabs) {
      const isShown = nameOf(tab) === state.tab;
      setAttributes(tab, { 'aria-selected': String(isShown), tabindex: isShown ? 0 : -1 });
      element(`panel-${nameOf(tab)}`).hidden = !isShown;
    }
  }
  return { draw };
}
