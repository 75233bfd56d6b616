import { childrenOf, pathTo } from '../model/tree.mjs';
import { dot, make, shareBar } from '../parts/dom.mjs';
import { percent, value } from '../parts/format.mjs';
import { List } from '../parts/list.mjs';

/** A node is opened for the reader as long as so much of its caller's time is its own. */
const OPENED = 0.5;
/** Indentation ends here, so that names are seen in deep trees. */
const DEEPEST = 40;

/**
 * The stack tree as a table that opens and closes.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {HTMLElement} element
 */
export function createCallTree(state, element) {
  /** @type {Set<number>} */
  let open = new Set();
  /** @type {unknown} what the open nodes are of */
  let opened = null;
  /** @type {{ node: number, level: number }[]} */
  let rows = [];
  const list = new List(element, {
    ...{ label: 'Call tree; left and right arrows close and open', role: 'treegrid' },
    columns: [
      { key: 'total', title: 'Total', width: '84px', isNumber: true },
      { key: 'totalTime', title: '', width: '84px', isNumber: true },
      { key: 'self', title: 'Self', width: '84px', isNumber: true },
      { key: 'name', title: 'Function', width: 'minmax(220px, 1fr)' },
    ],
    onActive: (index) => state.select(rows[index].node),
    onOpen: (index) => state.pick(state.view.functionOf[rows[index].node], 'sandwich'),
    onKey: press,
  });

  const below = (/** @type {number} */ node) => childrenOf(state.facts.links, state.sums.total, node);

  /** @param {string} key @param {number} index */
  function press(key, index) {
    const row = rows[index];
    if (row === undefined) return false;
    const isOpen = open.has(row.node);
    if (key === 'toggle') turn(row.node, !isOpen);
    else if (key === 'ArrowRight' && !isOpen) turn(row.node, true);
    else if (key === 'ArrowRight') state.select(rows[index + 1]?.level > row.level ? rows[index + 1].node : row.node);
    else if (key === 'ArrowLeft' && isOpen) turn(row.node, false);
    else if (key === 'ArrowLeft') state.select(state.view.parents[row.node] || row.node);
    else if (key === '*') openHeaviest(row.node);
    else return false;
    return true;
  }

  /** @param {number} node @param {boolean} isOpen */
  function turn(node, isOpen) {
    if (isOpen) open.add(node);
    else open.delete(node);
    draw();
  }

  /** Opens what most of the time is below. @param {number} from */
  function openHeaviest(from) {
    const { total } = state.sums;
    open.add(from);
    for (let node = from, next = below(node)[0]; next !== undefined; node = next, next = below(node)[0]) {
      if (node !== 0 && total[next] < total[node] * OPENED) break;
      open.add(node);
    }
    draw();
  }

  function draw() {
    if (opened !== state.view) {
      opened = state.view;
      open = new Set([0]);
      openHeaviest(0);
      return;
    }
    for (const node of pathTo(state.view.parents, state.selected).slice(0, -1)) open.add(node);
    rows = [];
    const pending = below(0)
      .reverse()
      .map((node) => ({ node, level: 1 }));
    for (let row = pending.pop(); row !== undefined; row = pending.pop()) {
      rows.push(row);
      if (!open.has(row.node)) continue;
      const { level } = row;
      for (const node of below(row.node).reverse()) pending.push({ node, level: level + 1 });
    }
    list.show(
      rows.length,
      (index) => rowOf(rows[index]),
      rows.findIndex(({ node }) => node === state.selected),
    );
  }

  /** @param {{ node: number, level: number }} row @returns {import('../parts/list.mjs').Row} */
  function rowOf({ node, level }) {
    const { view, sums, profile, query, found } = state;
    const { name, full, where, kind } = view.functions[view.functionOf[node]];
    const all = sums.total[0];
    const hasMore = below(node).length > 0;
    const isOpen = open.has(node);
    const sign = make('span', { class: hasMore ? 'toggle' : 'toggle none', 'aria-hidden': 'true' }, isOpen ? '▾' : '▸');
    const words = `${name}${view.isInlined[node] === 1 ? ' (inlined)' : ''}`;
    const cell = make(
      'span',
      { class: 'function', title: full ?? name },
      sign,
      dot(kind),
      make('span', { class: 'name' }, words),
      make('span', { class: 'where' }, where),
    );
    cell.style.paddingInlineStart = `${Math.min(level - 1, DEEPEST) * 12}px`;
    const isMatch = query !== '' && found.isMatch[view.functionOf[node]] === 1;
    return {
      cells: [
        shareBar(sums.total[node] / (all || 1), percent(sums.total[node], all)),
        value(sums.total[node], profile.unit),
        value(sums.self[node], profile.unit),
        cell,
      ],
      class: query === '' ? '' : isMatch ? 'match' : 'dim',
      ...{ level, isExpanded: hasMore ? isOpen : null },
    };
  }

  return { draw, press: () => false };
}
