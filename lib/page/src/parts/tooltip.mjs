import { make } from './dom.mjs';

/** What is said beside the mouse. It says nothing that the line of details does not say too. */
export class Tooltip {
  #element = make('div', { id: 'tooltip', role: 'tooltip', hidden: true });

  constructor() {
    document.body.append(this.#element);
  }

  /** @param {MouseEvent} event @param {string[]} lines the first is the heading */
  show({ clientX, clientY }, [head, ...lines]) {
    const tip = this.#element;
    tip.replaceChildren(make('strong', {}, head), ...lines.filter(Boolean).map((line) => make('div', {}, line)));
    tip.hidden = false;
    const { offsetWidth, offsetHeight } = tip;
    const left = Math.max(4, Math.min(clientX + 14, innerWidth - offsetWidth - 6));
    const isBelow = clientY + 18 + offsetHeight < innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(4, isBelow ? clientY + 18 : clientY - offsetHeight - 10)}px`;
  }

  hide() {
    this.#element.hidden = true;
  }
}
