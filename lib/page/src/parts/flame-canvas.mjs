import { contextOf, make, setAttributes } from './dom.mjs';

/**
 * Draws boxes as a flame graph on a canvas as large as what can be seen. A reader of the screen is given the frame that is chosen.
 *
 * @typedef {import('../model/tree.mjs').Box} Box
 * @typedef {object} Look
 * @property {boolean} isUp callees are above their callers
 * @property {(box: Box) => string} colorOf
 * @property {(box: Box) => string} textOf
 * @property {(box: Box) => boolean} isDim
 * @property {(box: Box) => string} sayOf for a reader of the screen
 * @property {number} selected the node that is chosen; -1: none
 */

export const ROW = 20;
/** Text in narrower frames says nothing, pixels. */
const LEAST_TEXT = 24;
const FONT = '12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
let canvases = 0;

export class FlameCanvas {
  /** @type {Box[][]} by depth, from left to right */
  #rows = [];
  /** @type {Look | null} */
  #look = null;
  /** @type {Box | null} */
  #hovered = null;
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #item = make('div', { role: 'treeitem', class: 'unseen', id: `frame${canvases++}` });
  #space = make('div', { class: 'flame-space', role: 'presentation' }, this.#canvas);

  /**
   * @param {HTMLElement} element
   * @param {{ label: string, palette: import('./colors.mjs').Palette, onClick: (box: Box, event: MouseEvent) => void,
   *   onHover: (box: Box | null, event: MouseEvent) => void }} settings
   */
  constructor(element, { label, palette, onClick, onHover }) {
    this.palette = palette;
    this.element = element;
    element.classList.add('flame');
    setAttributes(element, { tabindex: 0, role: 'tree', 'aria-label': label, 'aria-activedescendant': this.#item.id });
    element.append(this.#item, this.#space);
    element.addEventListener('scroll', () => this.#draw());
    this.#canvas.addEventListener('mousemove', (event) => {
      const box = this.#boxAt(event);
      if (box !== this.#hovered) {
        this.#hovered = box;
        this.#draw();
      }
      onHover(box, event);
    });
    this.#canvas.addEventListener('mouseleave', (event) => {
      this.#hovered = null;
      this.#draw();
      onHover(null, event);
    });
    this.#canvas.addEventListener('click', (event) => {
      const box = this.#boxAt(event);
      if (box !== null) onClick(box, event);
    });
  }

  /** How wide the drawing is, CSS pixels. */
  get width() {
    return Math.max(100, this.element.clientWidth);
  }

  /** @param {Box[]} boxes of one depth after the other @param {Look} look */
  show(boxes, look) {
    const isTurned = this.#look?.isUp !== look.isUp;
    this.#look = look;
    this.#rows = [];
    for (const box of boxes) {
      if (this.#rows[box.depth] === undefined) this.#rows[box.depth] = [];
      this.#rows[box.depth].push(box);
    }
    this.#hovered = null;
    this.#space.style.height = `${this.#rows.length * ROW}px`;
    if (isTurned) this.element.scrollTop = look.isUp ? this.#rows.length * ROW : 0;
    const chosen = this.selected;
    setAttributes(this.#item, {
      ...{ 'aria-label': chosen === null ? 'none' : look.sayOf(chosen), 'aria-selected': String(chosen !== null) },
      'aria-level': chosen === null ? null : chosen.depth + 1,
    });
    if (chosen !== null) this.#reveal(chosen);
    this.#draw();
  }

  /** @returns {Box | null} */
  get selected() {
    for (const row of this.#rows) {
      const box = row.find(({ node }) => node === this.#look?.selected);
      if (box !== undefined) return box;
    }
    return null;
  }

  /** Where each frame is drawn, relative to the element. For tests, and for whoever automates the page. */
  get frames() {
    return this.#rows.flat().map((box) => ({
      name: this.#look?.textOf(box),
      ...{
        x: box.begin * this.width,
        y: this.#topOf(box.depth) - this.element.scrollTop,
        width: box.width * this.width,
      },
      color: this.#look?.colorOf(box),
    }));
  }

  /** The frame that an arrow key leads to. @param {string} key @returns {Box | null} */
  neighbour(key) {
    const from = this.selected;
    if (from === null) return this.#rows[0]?.[0] ?? null;
    const row = this.#rows[from.depth];
    const isAway = key === (this.#look?.isUp ? 'ArrowUp' : 'ArrowDown');
    if (key === 'ArrowLeft') return row[row.indexOf(from) - 1] ?? null;
    if (key === 'ArrowRight') return row[row.indexOf(from) + 1] ?? null;
    if (isAway) {
      const end = from.begin + from.width;
      const below = (this.#rows[from.depth + 1] ?? []).filter(({ begin }) => begin >= from.begin - 1e-9 && begin < end);
      return below.reduce(
        (/** @type {Box | null} */ best, box) => (best === null || box.width > best.width ? box : best),
        null,
      );
    }
    const above = this.#rows[from.depth - 1] ?? [];
    return above.findLast(({ begin }) => begin <= from.begin + 1e-9) ?? null;
  }

  /** @param {number} depth */
  #topOf(depth) {
    return (this.#look?.isUp ? this.#rows.length - 1 - depth : depth) * ROW;
  }

  /** @param {Box} box */
  #reveal({ depth }) {
    const top = this.#topOf(depth);
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop || top + ROW > scrollTop + clientHeight) this.element.scrollTop = top - clientHeight / 2;
  }

  /** @param {MouseEvent} event @returns {Box | null} */
  #boxAt({ offsetX, offsetY }) {
    const line = Math.floor((offsetY + this.element.scrollTop) / ROW);
    const row = this.#rows[this.#look?.isUp ? this.#rows.length - 1 - line : line];
    if (row === undefined) return null;
    const share = offsetX / this.width;
    let low = 0;
    let high = row.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (row[middle].begin <= share) low = middle + 1;
      else high = middle;
    }
    const box = row[low - 1];
    return box !== undefined && share < box.begin + box.width ? box : null;
  }

  /** What is too narrow for a letter is a line of its colour. */
  #draw() {
    if (this.#look === null) return;
    const { colorOf, textOf, isDim, selected } = this.#look;
    const { width, palette } = this;
    const { scrollTop, clientHeight: height } = this.element;
    this.#canvas.style.height = `${height}px`;
    const context = contextOf(this.#canvas, width, height);
    context.font = FONT;
    context.textBaseline = 'middle';
    const letter = context.measureText('m').width;
    const ink = palette.of('ink');
    const edge = palette.of('text');
    const accent = palette.of('accent');
    this.#rows.forEach((row, depth) => {
      const y = this.#topOf(depth) - scrollTop;
      if (y + ROW < 0 || y > height) return;
      for (const box of row) {
        const x = box.begin * width;
        const wide = box.width * width;
        const shown = wide > 3 ? wide - 1 : Math.max(0.6, wide);
        context.globalAlpha = isDim(box) ? 0.28 : 1;
        context.fillStyle = colorOf(box);
        context.fillRect(x, y, shown, ROW - 1);
        if (wide >= LEAST_TEXT) {
          const most = Math.floor((wide - 8) / letter);
          const name = textOf(box);
          context.fillStyle = ink;
          context.fillText(name.length <= most ? name : `${name.slice(0, Math.max(1, most - 1))}…`, x + 4, y + ROW / 2);
        }
        context.globalAlpha = 1;
        if (box.node === selected || box === this.#hovered) {
          context.strokeStyle = box.node === selected ? accent : edge;
          context.lineWidth = box.node === selected ? 2 : 1;
          context.strokeRect(x + 1, y + 1, Math.max(1, shown - 2), ROW - 3);
        }
      }
    });
  }
}
