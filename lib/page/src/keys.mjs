import { TABS } from './model/state.mjs';

/**
 * Keys of the page, where no text is typed. Views have theirs first.
 *
 * @param {import('./model/state.mjs').State} state
 * @param {{ press: (key: string) => boolean, find: HTMLInputElement, switchTheme: () => void, goToMatch: (by: number) => void,
 *   copy: () => void, toggleHelp: () => void, closeHelp: () => boolean }} actions `press`: of the view that is shown
 */
export function bindKeys(state, { press, find, switchTheme, goToMatch, copy, toggleHelp, closeHelp }) {
  const otherView = () => (state.view.name === 'program' ? 'full' : 'program');

  function clear() {
    if (closeHelp()) return;
    if (state.query !== '') state.searchFor('');
    else if (state.focus !== 0) state.zoom(0);
    else if (state.choice.category !== null || state.choice.owner !== null)
      state.choose({ category: null, owner: null });
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    '/': () => find.focus(),
    '?': toggleHelp,
    Backspace: () => state.back(),
    Escape: clear,
    n: () => goToMatch(1),
    N: () => goToMatch(-1),
    f: () => state.orient(!state.isFlame),
    t: switchTheme,
    v: () => {
      if (state.profile.views.length > 1) state.switchTo(otherView());
    },
    s: () => state.show('sandwich'),
    l: () => state.show('source'),
    c: copy,
    ...Object.fromEntries(TABS.map((tab, i) => [String(i + 1), () => state.show(tab)])),
  };

  /** @param {KeyboardEvent} event */
  function typed({ key, shiftKey }) {
    if (key === 'Enter') goToMatch(shiftKey ? -1 : 1);
    else if (key === 'Escape') {
      state.searchFor('');
      find.blur();
    } else return false;
    return true;
  }

  document.addEventListener('keydown', (event) => {
    if (event.altKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      event.preventDefault();
      if (event.key === 'ArrowLeft') state.back();
      else state.forward();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target === find) {
      if (typed(event)) event.preventDefault();
      return;
    }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    const isButton = target.tagName === 'BUTTON';
    if (isButton && (event.key === 'Enter' || event.key === ' ')) return;
    if (!isButton && press(event.key)) {
      event.preventDefault();
      return;
    }
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}
