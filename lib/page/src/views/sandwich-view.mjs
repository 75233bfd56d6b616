import { layOutSandwich } from '../model/sandwich.mjs';
import { colorOfBox } from '../parts/box-colors.mjs';
import { functionText, timesText } from '../parts/describe.mjs';
import { FlameCanvas } from '../parts/flame-canvas.mjs';

const NARROWEST = 0.7;

/**
 * Callers and callees of the function that is picked, all of its calls merged. A click picks the function clicked on.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {{ title: HTMLElement, callers: HTMLElement, callees: HTMLElement }} elements
 * @param {import('./view-tools.mjs').Tools} tools
 */
export function createSandwichView(state, elements, { palette, hover }) {
  /** Where the arrow keys are. */
  let place = { isCallers: false, node: 0 };

  /** @param {import('../model/tree.mjs').Box} box @param {boolean} isCallers */
  function say({ fn, isInlined, total, self }, isCallers) {
    if (!isCallers) return `${functionText(state, fn, isInlined)}: ${timesText(state, total, self)}`;
    const { name } = state.view.functions[state.picked ?? 0];
    return `${functionText(state, fn, isInlined)}: ${timesText(state, total, 0).split(',')[0]} as a caller of ${name}`;
  }

  /** @param {HTMLElement} element @param {string} label @param {boolean} isCallers */
  const canvas = (element, label, isCallers) =>
    new FlameCanvas(element, {
      ...{ label, palette },
      onClick: ({ fn, node }) => {
        place = { isCallers, node };
        if (node !== 0) state.pick(fn);
      },
      onHover: (box, event) => hover(box === null ? null : say(box, isCallers), event),
    });
  const callers = canvas(elements.callers, 'Callers; arrow keys move, Enter picks a function', true);
  const callees = canvas(elements.callees, 'Callees; arrow keys move, Enter picks a function', false);

  /** The function of the last drawing. @type {number | null} */
  let drawn = null;

  function draw() {
    const { view, sums, query, found } = state;
    const fn = state.picked ?? hottest();
    if (fn !== drawn) place = { isCallers: false, node: 0 };
    drawn = fn;
    if (fn === null) {
      elements.title.textContent = 'Nothing is chosen.';
      return;
    }
    if (state.picked === null) state.picked = fn;
    const boxes = layOutSandwich(state.facts, sums, fn, NARROWEST / callees.width);
    const { total, self } = boxes.callees[0];
    elements.title.textContent = `${functionText(state, fn)}: ${timesText(state, total, selfTime(fn, self))}`;
    for (const [flame, isCallers] of /** @type {[FlameCanvas, boolean][]} */ ([
      [callers, true],
      [callees, false],
    ])) {
      flame.show(isCallers ? boxes.callers : boxes.callees, {
        isUp: isCallers,
        colorOf: (box) => colorOfBox(state, palette, box, null),
        textOf: (box) => view.functions[box.fn].name,
        isDim: (box) => query !== '' && found.isMatch[box.fn] !== 1,
        sayOf: (box) => say(box, isCallers),
        // The function itself is in both.
        selected: place.node === 0 || place.isCallers === isCallers ? place.node : -1,
      });
    }
  }

  /** With what it spends in itself below itself. @param {number} fn @param {number} self */
  function selfTime(fn, self) {
    return state.rows.find(({ id }) => id === fn)?.self ?? self;
  }

  /** What is looked at when nothing is picked: the heaviest match, or the function with most time of its own. */
  function hottest() {
    const match = state.found.nodes[0];
    if (match !== undefined) return state.view.functionOf[match];
    const [first, ...rest] = state.rows;
    return first === undefined ? null : rest.reduce((best, row) => (row.self > best.self ? row : best), first).id;
  }

  /** @param {string} key */
  function press(key) {
    const isCallers = place.node === 0 ? key === 'ArrowUp' : place.isCallers;
    const flame = isCallers ? callers : callees;
    const box = key === 'Enter' ? flame.selected : flame.neighbour(key);
    if (key === 'Enter') {
      if (box !== null && box.node !== 0) state.pick(box.fn);
      return true;
    }
    if (!key.startsWith('Arrow')) return false;
    if (box !== null) place = { isCallers, node: box.node };
    draw();
    return true;
  }

  return {
    draw,
    press,
    get frames() {
      return { callers: callers.frames, callees: callees.frames };
    },
  };
}
