import { make, setAttributes } from './dom.mjs';

/**
 * A table of any length, of which only the rows that can be seen are elements. It is one stop of the Tab key; arrow keys move in it.
 *
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} width as in `grid-template-columns`
 * @property {boolean} [isNumber]
 * @property {boolean} [isSorted] can be sorted by
 *
 * @typedef {object} Row
 * @property {(Node | string)[]} cells
 * @property {string} [class]
 * @property {number} [level] of a tree, from 1 on
 * @property {boolean | null} [isExpanded] null: it has nothing below it
 */

const ROW_HEIGHT = 24;
/** Rows beyond what can be seen, for smooth scrolling. */
const MORE = 8;
let lists = 0;

export class List {
  active = -1;
  count = 0;
  /** @type {(index: number) => Row} */
  #rowAt = () => ({ cells: [] });
  #id = `list${lists++}`;

  /**
   * @param {HTMLElement} element
   * @param {{ label: string, role: 'grid' | 'treegrid', columns: Column[], onActive: (index: number) => void,
   *   onOpen: (index: number) => void, onKey?: (key: string, index: number) => boolean, onSort?: (key: string) => void }} settings
   *   `onActive`: a row was chosen; `onOpen`: Enter or a double click
   */
  constructor(element, { label, role, columns, onActive, onOpen, onKey = () => false, onSort = () => {} }) {
    this.columns = columns;
    this.onActive = onActive;
    this.onOpen = onOpen;
    this.onKey = onKey;
    element.classList.add('list');
    element.style.setProperty('--columns', columns.map(({ width }) => width).join(' '));
    this.heads = columns.map(({ key, title, isNumber, isSorted }) => {
      const content = isSorted ? make('button', { type: 'button', 'data-key': key }, title) : title;
      if (typeof content !== 'string') content.addEventListener('click', () => onSort(key));
      return make('div', { role: 'columnheader', class: isNumber ? 'number' : '' }, content);
    });
    const head = make('div', { role: 'row', class: 'head', 'aria-rowindex': 1 }, ...this.heads);
    this.rows = make('div', { role: 'rowgroup', class: 'rows' });
    this.body = make('div', { class: 'body', tabindex: 0, role, 'aria-label': label }, head, this.rows);
    element.append(this.body);
    this.body.addEventListener('scroll', () => this.#draw());
    this.body.addEventListener('keydown', (event) => this.#press(event));
    this.rows.addEventListener('click', (event) => this.#click(event, false));
    this.rows.addEventListener('dblclick', (event) => this.#click(event, true));
  }

  /** @param {string} key by which the rows are in order @param {'ascending' | 'descending'} order */
  markSort(key, order) {
    this.columns.forEach((column, i) => {
      if (column.isSorted) this.heads[i].setAttribute('aria-sort', column.key === key ? order : 'none');
    });
  }

  /** @param {number} count @param {(index: number) => Row} rowAt @param {number} active -1: none */
  show(count, rowAt, active) {
    const isMoved = active !== this.active;
    this.count = count;
    this.#rowAt = rowAt;
    this.active = active;
    this.rows.style.height = `${count * ROW_HEIGHT}px`;
    this.body.setAttribute('aria-rowcount', String(count + 1));
    if (isMoved && active >= 0) this.reveal(active);
    this.#draw();
  }

  /** @param {number} index @param {boolean} [isMiddle] */
  reveal(index, isMiddle = false) {
    const { scrollTop, clientHeight } = this.body;
    const top = index * ROW_HEIGHT;
    const room = clientHeight - ROW_HEIGHT;
    if (isMiddle) this.body.scrollTop = top - room / 2;
    else if (top < scrollTop) this.body.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + room) this.body.scrollTop = top + ROW_HEIGHT - room;
  }

  #draw() {
    const { scrollTop, clientHeight } = this.body;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MORE);
    const last = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + MORE);
    const rows = [];
    for (let i = first; i < last; i++) rows.push(this.#make(i));
    this.rows.replaceChildren(...rows);
    setAttributes(this.body, {
      'aria-activedescendant': this.active >= first && this.active < last ? `${this.#id}-${this.active}` : null,
    });
  }

  /** @param {number} index */
  #make(index) {
    const row = this.#rowAt(index);
    const cells = row.cells.map((cell, i) =>
      make('div', { role: 'gridcell', class: this.columns[i].isNumber ? 'number' : '' }, cell),
    );
    const made = make(
      'div',
      {
        ...{ role: 'row', id: `${this.#id}-${index}`, 'data-index': index, 'aria-rowindex': index + 2 },
        ...{ class: row.class ?? '', 'aria-selected': index === this.active ? 'true' : 'false' },
        ...{
          'aria-level': row.level,
          'aria-expanded': row.isExpanded === undefined || row.isExpanded === null ? null : String(row.isExpanded),
        },
      },
      ...cells,
    );
    made.style.top = `${index * ROW_HEIGHT}px`;
    return made;
  }

  /** @param {MouseEvent} event @param {boolean} isDouble */
  #click({ target }, isDouble) {
    const row = /** @type {Element} */ (target).closest('[data-index]');
    if (row === null) return;
    const index = Number(/** @type {HTMLElement} */ (row).dataset.index);
    if (/** @type {Element} */ (target).closest('.toggle') !== null) {
      if (!isDouble) this.onKey('toggle', index);
    } else if (isDouble) this.onOpen(index);
    else if (index !== this.active) this.onActive(index);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.count === 0) return;
    if (event.target !== this.body) return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / ROW_HEIGHT) - 2);
    /** @type {Record<string, number>} */
    const targets = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: this.count - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) this.onActive(Math.max(0, Math.min(this.count - 1, target)));
    else if (event.key === 'Enter' && this.active >= 0) this.onOpen(this.active);
    else if (!this.onKey(event.key, this.active)) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
