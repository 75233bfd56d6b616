/** Small helpers for elements. */

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const element = (id) => /** @type {T} */ (document.getElementById(id));

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | number | null | undefined>} attributes `class`, `role`, `aria-…`; false, null and undefined: none
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** @param {Element} target @param {Record<string, string | boolean | number | null | undefined>} attributes */
export function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A dot in a kind's colour. @param {string} kind */
export function dot(kind) {
  const made = make('span', { class: 'dot', 'aria-hidden': 'true' });
  made.style.setProperty('--dot', `var(--${kind})`);
  return made;
}

/** A share as a bar behind its number. @param {number} share 0 to 1 @param {string} text */
export function shareBar(share, text) {
  const made = make('span', { class: 'share' }, text);
  made.style.setProperty('--share', `${Math.max(0, Math.min(100, share * 100)).toFixed(2)}%`);
  return made;
}

/** A canvas of the size in which it is shown, cleared. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height CSS pixels */
export function contextOf(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [across, down] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser has no canvas');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
