import { dot, make, shareBar } from '../parts/dom.mjs';
import { percent, value } from '../parts/format.mjs';
import { List } from '../parts/list.mjs';

/** Columns of a table of times. @param {string} what @returns {import('../parts/list.mjs').Column[]} */
export function timeColumns(what) {
  return [
    { key: 'self', title: 'Self', width: '84px', isNumber: true, isSorted: true },
    { key: 'selfTime', title: '', width: '84px', isNumber: true },
    { key: 'total', title: 'Total', width: '84px', isNumber: true, isSorted: true },
    { key: 'totalTime', title: '', width: '84px', isNumber: true },
    { key: 'name', title: what, width: 'minmax(220px, 1fr)', isSorted: true },
  ];
}

/** The cells of times. @param {import('../model/state.mjs').State} state @param {{ self: number, total: number }} row */
export function timeCells({ profile, sums }, { self, total }) {
  const all = sums.total[0];
  return [
    shareBar(self / (all || 1), percent(self, all)),
    value(self, profile.unit),
    shareBar(total / (all || 1), percent(total, all)),
    value(total, profile.unit),
  ];
}

/**
 * All functions, or those that the search finds. The name leads to its callers and callees.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {HTMLElement} element
 */
export function createFunctionTable(state, element) {
  /** @type {import('../model/functions.mjs').FunctionRow[]} */
  let rows = [];
  const list = new List(element, {
    ...{ label: 'Functions; Enter shows callers and callees', role: 'grid', columns: timeColumns('Function') },
    onActive: (index) => state.pick(rows[index].id),
    onOpen: (index) => state.pick(rows[index].id, 'sandwich'),
    onSort: (key) => state.sortBy(/** @type {any} */ (key)),
  });

  function draw() {
    const { sort, query, found, view } = state;
    const { functions } = view;
    rows = state.rows.filter(({ id }) => query === '' || found.isMatch[id] === 1);
    rows.sort((a, b) =>
      sort === 'name'
        ? functions[a.id].name.localeCompare(functions[b.id].name)
        : b[sort] - a[sort] || b.total - a.total,
    );
    list.markSort(sort, sort === 'name' ? 'ascending' : 'descending');
    const active = rows.findIndex(({ id }) => id === state.picked);
    list.show(rows.length, (index) => rowOf(rows[index]), active);
  }

  /** @param {import('../model/functions.mjs').FunctionRow} row @returns {import('../parts/list.mjs').Row} */
  function rowOf(row) {
    const { name, full, where, kind } = state.view.functions[row.id];
    const link = make('button', { type: 'button', tabindex: -1, class: 'name', title: full ?? name }, name);
    link.addEventListener('click', (event) => {
      event.stopPropagation();
      state.pick(row.id, 'sandwich');
    });
    const cell = make(
      'span',
      { class: 'function' },
      dot(kind),
      link,
      make('span', { class: 'where', title: where }, where),
    );
    return { cells: [...timeCells(state, row), cell], class: state.query === '' ? '' : 'match' };
  }

  return { draw, press: () => false };
}
