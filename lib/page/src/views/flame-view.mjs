import { layOut, pathTo } from '../model/tree.mjs';
import { colorOfBox } from '../parts/box-colors.mjs';
import { nodeText } from '../parts/describe.mjs';
import { make } from '../parts/dom.mjs';
import { FlameCanvas } from '../parts/flame-canvas.mjs';

/** Narrower frames are not drawn, pixels. */
const NARROWEST = 0.7;

/**
 * The flame graph: what is below the frame that is zoomed to; what is above it is a path of names.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {{ graph: HTMLElement, path: HTMLElement }} elements
 * @param {import('./view-tools.mjs').Tools} tools
 */
export function createFlameView(state, { graph, path }, { palette, hover }) {
  const flame = new FlameCanvas(graph, {
    label: 'Flame graph; arrow keys move, Enter zooms',
    palette,
    onClick: ({ node }) => state.zoom(node),
    onHover: (box, event) => hover(box === null ? null : nodeText(state, box.node), event),
  });

  function drawPath() {
    const nodes = pathTo(state.view.parents, state.focus);
    path.hidden = nodes.length === 0;
    const steps = nodes.length === 0 ? [] : [0, ...nodes];
    path.replaceChildren(
      ...steps.map((node, i) => {
        const name = node === 0 ? 'all' : state.view.functions[state.view.functionOf[node]].name;
        const isLast = i === steps.length - 1;
        const step = make('button', { type: 'button', 'aria-current': isLast ? 'true' : null }, name);
        step.addEventListener('click', () => state.zoom(node));
        return step;
      }),
    );
    path.scrollLeft = path.scrollWidth;
  }

  function draw() {
    drawPath();
    const { view, sums, query, found } = state;
    const isSearch = query !== '';
    const nameOf = (/** @type {number} */ fn) => (fn < 0 ? 'all' : view.functions[fn].name);
    const isMatch = (/** @type {number} */ fn) => isSearch && fn >= 0 && found.isMatch[fn] === 1;
    flame.show(layOut(view, state.facts.links, sums, state.focus, NARROWEST / flame.width), {
      isUp: state.isFlame,
      colorOf: (box) => colorOfBox(state, palette, box, box.node),
      textOf: ({ fn }) => nameOf(fn),
      isDim: ({ fn }) => isSearch && !isMatch(fn),
      sayOf: ({ node }) => nodeText(state, node),
      selected: state.selected,
    });
  }

  /** @param {string} key @returns {boolean} whether it has a meaning here */
  function press(key) {
    if (key === 'Enter') state.zoom(state.selected);
    else if (key.startsWith('Arrow')) {
      const box = flame.neighbour(key);
      const above = state.view.parents[state.focus];
      const isRoot = key === (state.isFlame ? 'ArrowDown' : 'ArrowUp') && state.selected === state.focus;
      if (box !== null) state.select(box.node);
      else if (isRoot && state.focus !== 0) state.zoom(above);
    } else return false;
    return true;
  }

  return {
    draw,
    press,
    get frames() {
      return flame.frames;
    },
  };
}
