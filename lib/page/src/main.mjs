import { KINDS } from './colors.mjs';
import { readProfile } from './data.mjs';
import { percent, value } from './format.mjs';
import { createGraph } from './graph.mjs';
import { State } from './state.mjs';
import { createTable } from './table.mjs';
import { createTimeline } from './timeline.mjs';

/** Puts the page together: reads the profile, makes the views, binds controls and keys. */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));

const { first: profile, other } = readProfile(element('profile').textContent ?? '');
/** Those that have been looked at. @type {Map<string, import('./data.mjs').PageProfile>} */
const views = new Map([[profile.view, profile]]);
const state = new State(profile);
const graph = createGraph(state, element('graph'));
const table = createTable(state, element('functions'));
const timeline = createTimeline(state, {
  ...{
    canvas: element('timeline'),
    from: element('from'),
    to: element('to'),
    clear: element('whole'),
    label: element('window'),
  },
});

/** @param {HTMLSelectElement} select @param {[string, string][]} options @param {string} chosen */
function fill(select, options, chosen) {
  select.replaceChildren(
    ...options.map(([value, text]) => new Option(text, value, value === chosen, value === chosen)),
  );
}

const threads = element('thread');
const blocks = element('block');
const values = element('value');
const sides = element('side');
const find = /** @type {HTMLInputElement} */ (element('search'));
fill(
  /** @type {any} */ (threads),
  [
    ['', 'all threads'],
    .../** @type {[string, string][]} */ (profile.threads.map(({ id, label }) => [String(id), label])),
  ],
  '',
);
fill(
  /** @type {any} */ (blocks),
  [['', 'all code'], .../** @type {[string, string][]} */ (profile.blocks.map((name, i) => [String(i + 1), name]))],
  '',
);
element('blocks').hidden = profile.blocks.length === 0;
element('threads').hidden = profile.isDifference;
element('sides').hidden = !profile.isDifference;
element('time').hidden = profile.isDifference || profile.bucketMs === 0;
element('values').hidden = profile.mode === 'cpu';

const numberOf = (/** @type {any} */ select) => (select.value === '' ? null : Number(select.value));
threads.addEventListener('change', () => state.choose({ thread: numberOf(threads) }));
blocks.addEventListener('change', () => state.choose({ block: numberOf(blocks) }));
values.addEventListener('change', () => state.choose({ value: /** @type {any} */ (values).value }));
sides.addEventListener('change', () => state.choose({ side: numberOf(sides) }));
find.addEventListener('input', () => state.searchFor(find.value.trim()));
element('back').addEventListener('click', () => state.back());
element('forward').addEventListener('click', () => state.forward());
element('reset').addEventListener('click', () => state.zoom(0));
element('orient').addEventListener('click', () => state.orient(!state.isFlame));
element('theme').addEventListener('click', switchTheme);
const view = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (element('view')));
element('views').hidden = other === null;
view.addEventListener('change', () => switchView(view.value));

/** @param {string} name */
function switchView(name) {
  if (other === null) return;
  const known = views.get(name) ?? other();
  views.set(name, known);
  state.switchTo(known);
  drawLegend();
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  draw();
}

function drawLegend() {
  const kinds = new Set(state.profile.functions.map(({ kind }) => kind));
  const entries = profile.isDifference
    ? [
        ['grown', 'grown'],
        ['shrunk', 'shrunk'],
        ['same', 'as before'],
      ]
    : Object.entries(KINDS).filter(([kind]) => kinds.has(kind));
  element('legend').replaceChildren(
    ...entries.map(([kind, text]) => {
      const entry = document.createElement('li');
      entry.style.setProperty('--dot', `var(--${kind})`);
      entry.textContent = text;
      return entry;
    }),
  );
}

function draw() {
  graph.draw();
  table.draw();
  timeline.draw();
  const { choice, sums, focus, found, query } = state;
  if (find.value.trim() !== query) find.value = query;
  /** @type {any} */ (threads).value = choice.thread ?? '';
  /** @type {any} */ (blocks).value = choice.block ?? '';
  /** @type {any} */ (values).value = choice.value;
  view.value = state.profile.view;
  /** @type {any} */ (sides).value = choice.side ?? 1;
  /** @type {any} */ (element('back')).disabled = !state.canGoBack;
  /** @type {any} */ (element('forward')).disabled = !state.canGoForward;
  /** @type {any} */ (element('reset')).disabled = focus === 0;
  element('orient').textContent = state.isFlame ? 'Icicle' : 'Flame';
  element('matched').textContent =
    query === '' ? '' : `${percent(found.matched, sums.total[focus])} matched (${value(found.matched, profile.unit)})`;
  element('details').textContent = graph.describe(state.selected);
  const summary = {
    total: sums.total[0],
    focus,
    focusTotal: sums.total[focus],
    matched: found.matched,
    selected: state.selected,
  };
  for (const [name, value] of Object.entries(summary)) document.body.dataset[name] = String(value);
}

/** Keys, where no text is typed. @type {Record<string, () => void>} */
const KEYS = {
  '/': () => find.focus(),
  ArrowUp: () =>
    state.select(
      state.isFlame ? (graph.neighbours(state.selected).down ?? state.selected) : graph.neighbours(state.selected).up,
    ),
  ArrowDown: () =>
    state.select(
      state.isFlame ? graph.neighbours(state.selected).up : (graph.neighbours(state.selected).down ?? state.selected),
    ),
  ArrowLeft: () => state.select(graph.neighbours(state.selected).left ?? state.selected),
  ArrowRight: () => state.select(graph.neighbours(state.selected).right ?? state.selected),
  Enter: () => state.zoom(state.selected),
  Backspace: () => state.back(),
  Escape: () => (state.query === '' ? state.zoom(0) : state.searchFor('')),
  f: () => state.orient(!state.isFlame),
  t: switchTheme,
  v: () => switchView(state.profile.view === 'program' ? 'full' : 'program'),
};

document.addEventListener('keydown', (event) => {
  if (event.altKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
    event.preventDefault();
    if (event.key === 'ArrowLeft') state.back();
    else state.forward();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  if (isTyping && event.key === 'Escape') {
    state.searchFor('');
    target.blur();
    return;
  }
  if (isTyping || (target.tagName === 'BUTTON' && event.key === 'Enter')) return;
  const action = KEYS[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
});

element('graph').addEventListener('mouseover', (event) => {
  const frame = /** @type {Element} */ (event.target).closest('g.frame');
  if (frame !== null) element('details').textContent = graph.describe(/** @type {any} */ (frame).__data__.data.node);
});
element('graph').addEventListener('mouseleave', () => {
  element('details').textContent = graph.describe(state.selected);
});

let resized = 0;
addEventListener('resize', () => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(draw);
});
state.onChange(draw);
drawLegend();
draw();
document.body.dataset.ready = 'true';
