import { createControls } from './controls.mjs';
import { bindKeys } from './keys.mjs';
import { readProfile, readView } from './model/data.mjs';
import { linkOf, readLink } from './model/link.mjs';
import { State } from './model/state.mjs';
import { pathTo } from './model/tree.mjs';
import { copyText } from './parts/clipboard.mjs';
import { Palette } from './parts/colors.mjs';
import { functionText, nodeText, stackText, timesText } from './parts/describe.mjs';
import { element } from './parts/dom.mjs';
import { Tooltip } from './parts/tooltip.mjs';
import { createTabs } from './tabs.mjs';
import { createCallTree } from './views/call-tree.mjs';
import { createCategoryBar } from './views/category-bar.mjs';
import { createFlameView } from './views/flame-view.mjs';
import { createFunctionTable } from './views/function-table.mjs';
import { createPackageTable } from './views/package-table.mjs';
import { createSandwichView } from './views/sandwich-view.mjs';
import { createSourceView } from './views/source-view.mjs';
import { createTracks } from './views/tracks.mjs';

/** Puts the page together: reads the profile, makes the views, and draws them when the state changes. */

const state = new State(readProfile(), readView);
const palette = new Palette(element('probe'));
const tooltip = new Tooltip();
const details = element('details');

/** @type {import('./views/view-tools.mjs').Tools} */
const tools = {
  palette,
  hover(text, event) {
    if (text === null) {
      tooltip.hide();
      details.textContent = detailsText();
      return;
    }
    const cut = text.indexOf(': ');
    tooltip.show(event, cut < 0 ? [text] : [text.slice(0, cut), ...text.slice(cut + 2).split('; ')]);
    details.textContent = text;
  },
};

const flame = createFlameView(state, { graph: element('graph'), path: element('path') }, tools);
const sandwich = createSandwichView(
  state,
  { title: element('sandwich-title'), callers: element('callers'), callees: element('callees') },
  tools,
);
/** @type {Record<import('./model/state.mjs').Tab, import('./views/view-tools.mjs').View>} */
const views = {
  flame,
  tree: createCallTree(state, element('panel-tree')),
  functions: createFunctionTable(state, element('panel-functions')),
  packages: createPackageTable(state, element('panel-packages')),
  sandwich,
  source: createSourceView(state, {
    ...{ title: element('source-title'), list: element('source'), note: element('source-note') },
  }),
};
const tabs = createTabs(state);
const categories = createCategoryBar(state, { stripe: element('stripe'), chips: element('chips') });
const isTimed = !state.profile.isDifference && state.profile.bucketMs > 0;
const controls = createControls(state, { switchTheme, goToMatch, copy });
const tracks = createTracks(
  state,
  {
    ...{ section: element('time'), axis: element('axis'), rows: element('tracks'), from: element('from') },
    ...{
      to: element('to'),
      whole: element('whole'),
      label: element('window'),
      into: element('into'),
      out: element('out'),
    },
  },
  tools,
);

/** What is chosen, in words: a frame, or a function where the view has no frames. */
function detailsText() {
  const { tab, picked, selected } = state;
  if (tab === 'flame' || tab === 'tree' || picked === null) return nodeText(state, selected);
  const row = state.rows.find(({ id }) => id === picked);
  return `${functionText(state, picked)}: ${timesText(state, row?.total ?? 0, row?.self ?? 0)}`;
}

/** The next match becomes the frame that is chosen, and the zoom goes to where it can be seen. @param {number} by 1 or -1 */
function goToMatch(by) {
  const { nodes } = state.found;
  if (nodes.length === 0) return;
  const at = nodes.indexOf(state.selected);
  const next = at < 0 ? (by > 0 ? 0 : nodes.length - 1) : (at + by + nodes.length) % nodes.length;
  if (state.tab === 'functions' || state.tab === 'packages') state.show('flame');
  if (!isBelow(nodes[next], state.focus)) state.zoom(0);
  state.select(nodes[next]);
}

/** @param {number} node @param {number} focus */
function isBelow(node, focus) {
  return focus === 0 || pathTo(state.view.parents, node).includes(focus);
}

async function copy() {
  if (state.selected === 0) return;
  const isCopied = await copyText(stackText(state, state.selected));
  details.textContent = isCopied ? 'The stack is in the clipboard.' : 'The browser does not let this page copy.';
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  repaint();
}

/** What categories and tracks are drawn of: a zoom or a search leaves them as they are. @type {{ choice: unknown, view: unknown }} */
let drawn = { choice: null, view: null };

function draw() {
  controls.draw();
  tabs.draw();
  if (state.choice !== drawn.choice || state.view !== drawn.view) {
    categories.draw();
    if (isTimed) tracks.draw();
    drawn = { choice: state.choice, view: state.view };
  }
  views[state.tab].draw();
  details.textContent = detailsText();
  const { sums, focus, found, selected } = state;
  const summary = { total: sums.total[0], focus, focusTotal: sums.total[focus], matched: found.matched, selected };
  for (const [name, value] of Object.entries(summary)) document.body.dataset[name] = String(value);
  writeLink();
}

function repaint() {
  palette.forget();
  drawn = { choice: null, view: null };
  draw();
}

/** What the address says. */
let link = '';

function writeLink() {
  const now = linkOf(state);
  if (now === link) return;
  link = now;
  history.replaceState(null, '', now === '' ? location.pathname + location.search : `#${now}`);
}

function followLink() {
  const now = location.hash.slice(1);
  if (now === link) return;
  link = now;
  state.restore(readLink(state, now));
}

bindKeys(state, {
  press: (key) => views[state.tab].press(key),
  ...{
    find: controls.find,
    switchTheme,
    goToMatch,
    copy,
    toggleHelp: controls.toggleHelp,
    closeHelp: controls.closeHelp,
  },
});
let resized = 0;
addEventListener('resize', () => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(repaint);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
addEventListener('hashchange', followLink);
// Where frames are drawn: for tests, and for whoever automates the page.
Object.assign(globalThis, { spprofFrames: () => (state.tab === 'sandwich' ? sandwich.frames : flame.frames) });
state.onChange(draw);
if (location.hash.length > 1) followLink();
else draw();
document.body.dataset.ready = 'true';
