import { kindOfCategory } from '../parts/colors.mjs';
import { dot, make } from '../parts/dom.mjs';
import { List } from '../parts/list.mjs';
import { timeCells, timeColumns } from './function-table.mjs';

/**
 * Time by package, module of Node.js and native library. Enter or a double click leaves only the samples that are spent in it.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {HTMLElement} element
 */
export function createPackageTable(state, element) {
  const { owners, categories } = state.profile;
  let active = -1;
  /** @type {import('../model/functions.mjs').OwnerRow[]} */
  let rows = [];
  const list = new List(element, {
    ...{ label: 'Packages, modules and libraries; Enter leaves only their own time', role: 'grid' },
    columns: timeColumns('Package, module or library'),
    onActive: (index) => {
      active = rows[index].owner;
      draw();
    },
    onOpen: (index) => only(rows[index].owner),
    onSort: (key) => state.sortBy(/** @type {any} */ (key)),
  });

  /** @param {number} owner */
  function only(owner) {
    const isSame = state.choice.owner === owner;
    state.choose({ owner: isSame ? null : owner, category: null });
  }

  const nameOf = (/** @type {number} */ owner) => owners[owner].part || categories[owners[owner].category];

  function draw() {
    const { sort } = state;
    const query = state.query.toLowerCase();
    rows = state.ownerRows.filter(({ owner }) => query === '' || nameOf(owner).toLowerCase().includes(query));
    rows.sort((a, b) =>
      sort === 'name' ? nameOf(a.owner).localeCompare(nameOf(b.owner)) : b[sort] - a[sort] || b.total - a.total,
    );
    list.markSort(sort, sort === 'name' ? 'ascending' : 'descending');
    list.show(
      rows.length,
      (index) => rowOf(rows[index]),
      rows.findIndex(({ owner }) => owner === active),
    );
  }

  /** @param {import('../model/functions.mjs').OwnerRow} row @returns {import('../parts/list.mjs').Row} */
  function rowOf(row) {
    const { category, part } = owners[row.owner];
    const link = make('button', { type: 'button', tabindex: -1, class: 'name' }, nameOf(row.owner));
    link.addEventListener('click', () => only(row.owner));
    const word = part === '' ? '' : categories[category];
    const cell = make(
      'span',
      { class: 'function' },
      dot(kindOfCategory(categories[category])),
      link,
      make('span', { class: 'where' }, word),
    );
    return { cells: [...timeCells(state, row), cell] };
  }

  return { draw, press: () => false };
}
