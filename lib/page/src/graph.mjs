import flamegraph from 'd3-flame-graph';
import { select } from 'd3-selection';
import { colorOf, colorOfChange } from './colors.mjs';
import { percent, points, value } from './format.mjs';
import { describePlaces } from './places.mjs';
import { pathTo, visibleTree } from './tree.mjs';

/** The flame graph: d3-flame-graph draws, the state says what. */

const ROW = 20;
/** Frames narrower than this are not drawn, pixels. */
const NARROWEST = 1.2;

/** @param {import('./state.mjs').State} state @param {HTMLElement} element */
export function createGraph(state, element) {
  const { unit } = state.profile;
  const functionIn = (/** @type {number} */ node) => state.profile.functions[state.profile.functionOf[node]];
  const kindOf = (/** @type {number} */ node) => (node === 0 ? 'other' : functionIn(node).kind);

  /** @param {{ data: import('./tree.mjs').TreeNode }} frame */
  function color({ data }) {
    if (state.found.matches[state.profile.functionOf[data.node]] && data.node !== 0 && state.query !== '')
      return 'var(--match)';
    if (state.before !== null) return colorOfChange(data.change);
    return colorOf(kindOf(data.node), data.name);
  }

  /** @param {number} node */
  function describe(node) {
    const { total, self } = state.sums;
    const share = `${value(total[node], unit)} total (${percent(total[node], total[0])}), ${value(self[node], unit)} self (${percent(self[node], total[0])})`;
    const change =
      state.before === null
        ? ''
        : `, ${points(total[node] / (total[0] || 1) - state.before[node] / (state.before[0] || 1))}`;
    if (node === 0) return `all: ${share}${change}`;
    const { name, full, where, inlined } = functionIn(node);
    const places = describePlaces(state.profile, node);
    const head = `${full ?? name}${inlined ? ' (inlined)' : ''}${where === '' ? '' : `, ${where}`}`;
    return `${head}: ${share}${change}${places === '' ? '' : `; ${places}`}`;
  }

  const chart = flamegraph()
    .cellHeight(ROW)
    .minFrameSize(NARROWEST)
    .transitionDuration(0)
    .resetHeightOnZoom(true)
    .sort(false)
    .setColorMapper(color)
    .setLabelHandler((d) => describe(d.data.node))
    .setDetailsHandler(() => {})
    .onClick((d) => state.zoom(d.data.node));

  let isDrawn = false;
  function draw() {
    const width = Math.max(200, element.clientWidth);
    const least = NARROWEST / width;
    const tree = visibleTree(state.profile, state.links, {
      ...{ total: state.sums.total, before: state.before, focus: state.focus, least },
    });
    chart.width(width).inverted(!state.isFlame);
    if (isDrawn) chart.update(tree);
    else select(element).datum(tree).call(chart);
    isDrawn = true;
    mark();
  }

  function mark() {
    for (const frame of element.querySelectorAll('g.frame')) {
      const { node } = /** @type {any} */ (frame).__data__.data;
      frame.classList.toggle('selected', node === state.selected);
      frame.classList.toggle(
        'above',
        node !== state.focus && pathTo(state.profile.parents, state.focus).concat(0).includes(node),
      );
    }
  }

  /** The nodes that arrow keys lead to. @param {number} node */
  function neighbours(node) {
    const { firstChild, nextSibling } = state.links;
    const childrenOf = (/** @type {number} */ parent) => {
      const children = [];
      for (let child = firstChild[parent]; child !== 0; child = nextSibling[child]) {
        if (state.sums.total[child] > 0) children.push(child);
      }
      return children.sort((a, b) => state.sums.total[b] - state.sums.total[a]);
    };
    const siblings = node === 0 ? [0] : childrenOf(state.profile.parents[node]);
    const at = siblings.indexOf(node);
    return {
      up: node === 0 ? 0 : state.profile.parents[node],
      down: childrenOf(node)[0],
      left: siblings[at - 1],
      right: siblings[at + 1],
    };
  }

  return { draw, describe, neighbours };
}
