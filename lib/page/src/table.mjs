import { percent, value } from './format.mjs';

/** The hottest functions below the focus; a click on a head sorts, a click on a row searches for the function. */

const ROWS = 200;

/** @typedef {'selfNs' | 'totalNs' | 'name'} Key */

/** @param {import('./state.mjs').State} state @param {HTMLTableElement} table */
export function createTable(state, table) {
  /** @type {Key} */
  let key = 'selfNs';
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll('th button')];

  function draw() {
    const all = state.sums.total[0];
    const rows = [...state.rows].sort((a, b) => (key === 'name' ? a.name.localeCompare(b.name) : b[key] - a[key]));
    body.replaceChildren(...rows.slice(0, ROWS).map((row) => rowOf(row, all)));
    for (const head of heads) {
      const isKey = /** @type {HTMLElement} */ (head).dataset.key === key;
      head.closest('th')?.setAttribute('aria-sort', isKey ? (key === 'name' ? 'ascending' : 'descending') : 'none');
    }
  }

  /** @param {(typeof state.rows)[number]} row @param {number} all */
  function rowOf({ name, where, kind, inlined, selfNs, totalNs, id }, all) {
    const line = document.createElement('tr');
    line.classList.toggle('match', state.query !== '' && state.found.matches[id]);
    const cells = [
      `${percent(selfNs, all)}`,
      value(selfNs, state.profile.unit),
      `${percent(totalNs, all)}`,
      value(totalNs, state.profile.unit),
    ].map((text) => {
      const cell = document.createElement('td');
      cell.className = 'number';
      cell.textContent = text;
      return cell;
    });
    const named = document.createElement('td');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'function';
    button.style.setProperty('--dot', `var(--${kind})`);
    button.textContent = `${name}${inlined ? ' (inlined)' : ''}`;
    button.addEventListener('click', () => state.searchFor(name));
    const place = document.createElement('span');
    place.className = 'where';
    place.textContent = where;
    named.append(button, place);
    line.append(...cells, named);
    return line;
  }

  for (const head of heads) {
    head.addEventListener('click', () => {
      key = /** @type {Key} */ (/** @type {HTMLElement} */ (head).dataset.key);
      draw();
    });
  }
  return { draw };
}
